import { KeyboardEvent, PointerEvent, useRef, useState } from 'react';

import { formatNumber } from '../../../format';
import { useStudio } from '../../../hooks';
import { TEST } from '../../../testids';
import { TextInput } from '../../../ui';
import { fromPixel, toPixel } from './axes';
import { Popover } from './popover';
import { IDimension, numberAt, shareOf, shareOfNumber } from './values';

interface IAxisProps {
  axis: IDimension;
  x: number;
  top: number;
  bottom: number;
  /** Numbers on the axis; on one of categories their indices. */
  brush: readonly [number, number] | null;
  onBrush: (range: [number, number] | null) => void;
  onMove: (by: number) => void;
}

const WIDTH = 28;
const STEP = 0.05;
const SNAP = 6; // px from an end at which the end itself is meant
const CLICK = 3; // px: a shorter drag is a click, which clears

/** An axis with its labels and its brush: dragged, or moved with the arrow keys (Shift: its upper end). */
export function AxisView({ axis, x, top, bottom, brush, onBrush, onMove }: IAxisProps): JSX.Element {
  const { trans } = useStudio();
  const start = useRef<number | null>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  const height = bottom - top;
  const shares: [number, number] | null = drag ?? (brush ? [shareOfNumber(axis, brush[0]), shareOfNumber(axis, brush[1])] : null);
  const give = (range: [number, number] | null): void => onBrush(range && [numberAt(axis, range[0]), numberAt(axis, range[1])]);
  const shareAt = (event: PointerEvent<HTMLElement>): number => snapped(fromPixel(event.clientY - event.currentTarget.getBoundingClientRect().top, [0, 1], height, 0), SNAP / height);

  const onPointerMove = (event: PointerEvent<HTMLElement>): void => {
    if (start.current !== null) {
      const at = shareAt(event);
      setDrag([Math.min(start.current, at), Math.max(start.current, at)]);
    }
  };
  const onPointerUp = (event: PointerEvent<HTMLElement>): void => {
    if (start.current === null) {
      return;
    }
    const at = shareAt(event);
    const isClick = Math.abs(at - start.current) * height < CLICK;
    give(isClick ? null : [Math.min(start.current, at), Math.max(start.current, at)]);
    start.current = null;
    setDrag(null);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowUp: STEP, ArrowDown: -STEP }[event.key];
    const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const [low, high] = shares ?? [0, 1];
    if (by) {
      give(event.shiftKey ? [low, clamp(Math.max(low, high + by))] : [clamp(Math.min(high, low + by)), high]);
    } else if (turn && event.altKey) {
      onMove(turn);
    } else if ((event.key === 'Delete' || event.key === 'Backspace' || event.key === 'Escape') && brush) {
      give(null);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const said = brush ? brush.map(value => textOf(axis, value)).join(' – ') : trans.__('whole axis');
  return (
    <div
      className="jp-Studio-axisView"
      data-axis=""
      role="group"
      aria-label={trans.__('%1: %2. Up and down move the lower end of the range, with Shift the upper; Delete clears; Alt and left or right move the axis.', axis.label, said)}
      tabIndex={0}
      style={{ left: x - WIDTH / 2, top, width: WIDTH, height }}
      data-testid={TEST.chartAxis(axis.key)}
      onPointerDown={event => {
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = shareAt(event);
      }}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onKeyDown={onKeyDown}
    >
      <span className="jp-Studio-axisName" title={axis.key}>
        {axis.label}
      </span>
      <i className="jp-Studio-axisRule" />
      {shares && <i className="jp-Studio-axisBrush" style={{ top: toPixel(shares[1], [0, 1], height, 0), height: Math.max(2, (shares[1] - shares[0]) * height) }} />}
      {ticksOf(axis).map(({ share, text }) => (
        <span key={text} className="jp-Studio-axisTick" title={text} style={{ top: toPixel(share, [0, 1], height, 0) }}>
          {text}
        </span>
      ))}
    </div>
  );
}

function snapped(share: number, within: number): number {
  return share > 1 - within ? 1 : share < within ? 0 : share;
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}

/** A few values of the axis, and where they stand. */
export function ticksOf(axis: IDimension): { share: number; text: string }[] {
  if (axis.categories) {
    const every = Math.ceil(axis.categories.length / 10);
    return axis.categories.flatMap((text, i) => (i % every ? [] : [{ share: shareOf(axis, text) ?? 0, text }]));
  }
  // The values themselves where they are few: depths of 2, 3 and 4 have nothing at 2.5.
  const values = [...new Set(axis.values.filter(value => typeof value === 'number'))];
  if (values.length <= 7) {
    return values.map(value => ({ share: shareOfNumber(axis, value), text: formatNumber(value) }));
  }
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(share => ({ share, text: formatNumber(Number(numberAt(axis, share).toPrecision(3))) }));
  return ticks.filter((tick, i) => ticks.findIndex(other => other.text === tick.text) === i);
}

function textOf(axis: IDimension, value: number): string {
  return axis.categories ? (axis.categories[Math.round(value)] ?? '') : formatNumber(Number(value.toPrecision(4)));
}

interface IChooserProps {
  options: [string, string][];
  chosen: string[];
  onChange: (keys: string[]) => void;
}

/** Which axes there are. */
export function AxisChooser({ options, chosen, onChange }: IChooserProps): JSX.Element {
  const { trans } = useStudio();
  const [typed, setTyped] = useState('');
  const found = options.filter(([, text]) => text.toLowerCase().includes(typed.toLowerCase()));
  return (
    <Popover icon="columns" label={trans.__('Axes %1 of %2', chosen.length, options.length)} testId={TEST.chartControl('axes')}>
      {() => (
        <div className="jp-Studio-chooser">
          <TextInput value={typed} onChange={setTyped} placeholder={trans.__('Search')} label={trans.__('Search axes')} autoFocus />
          <div className="jp-Studio-chooserList">
            {found.map(([key, text]) => (
              <label key={key} title={key}>
                <input type="checkbox" checked={chosen.includes(key)} onChange={() => onChange(chosen.includes(key) ? chosen.filter(other => other !== key) : [...chosen, key])} />
                <span>{text}</span>
              </label>
            ))}
          </div>
        </div>
      )}
    </Popover>
  );
}
