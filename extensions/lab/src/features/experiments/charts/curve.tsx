import { KeyboardEvent, PointerEvent, memo, useCallback, useMemo } from 'react';

import { formatNumber } from '../../../format';
import { useStudio, useWidth } from '../../../hooks';
import { TEST } from '../../../testids';
import { Button, ITheme, Plot, hue as hueOf } from '../../../ui';
import { Range, fromPixel, nearestIndex, toPixel } from './axes';
import { Download } from './download';
import { Hover, useHover } from './hover';
import type { ISeriesLine, Scale } from './series';
import { IFrame, MARGIN, figureOf, frameOf, xText, yValue } from './traces';

export interface IZoom {
  x: Range | null;
  y: Range | null;
}

interface ICurveProps {
  metric: string;
  lines: readonly ISeriesLine[];
  scale: Scale;
  clip: boolean;
  zoom: IZoom;
  hover: Hover;
  height: number;
  isPending: boolean;
  isLarge: boolean;
  isPinned: boolean;
  onZoom: (metric: string, zoom: IZoom | null) => void;
  onLarge: (metric: string) => void;
  onPin: (metric: string) => void;
  csv: () => string;
}

/** One metric of all runs; the pointer's place is shared with the other charts. */
export const Curve = memo(function Curve(props: ICurveProps): JSX.Element {
  const { metric, lines, scale, clip, zoom, hover, height, isPending, isLarge, isPinned, onZoom, onLarge, onPin, csv } = props;
  const { trans } = useStudio();
  const [box, width] = useWidth<HTMLDivElement>();
  const frame = useMemo(() => frameOf(lines, clip, zoom), [lines, clip, zoom]);
  const draw = useCallback((theme: ITheme) => figureOf(lines, frame, scale, theme), [lines, frame, scale]);
  const isEmpty = lines.every(line => line.line.x.length === 0 && line.odd.length === 0);

  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    const area = event.currentTarget.getBoundingClientRect();
    const x = fromPixel(event.clientX - area.left, frame.x, MARGIN.l, width - MARGIN.r);
    const y = fromPixel(event.clientY - area.top, frame.y, height - MARGIN.b, MARGIN.t);
    hover.set(x < frame.x[0] || x > frame.x[1] ? null : { x, metric, id: nearestLine(lines, x, y) });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const moved = byKey(event.key, lines, hover, metric, frame);
    if (moved) {
      hover.set(moved);
    } else if (event.key === 'Enter' && event.target === event.currentTarget) {
      onLarge(metric);
    } else if (event.key === 'Escape' && (zoom.x ?? zoom.y)) {
      event.stopPropagation();
      onZoom(metric, null);
    } else {
      return;
    }
    event.preventDefault();
  };
  return (
    <figure className={`jp-Studio-curve${isLarge ? ' jp-mod-large' : ''}`} data-testid={TEST.chart(metric)}>
      <figcaption>
        <span title={metric}>{metric}</span>
        <Reading metric={metric} lines={lines} hover={hover} scale={scale} />
        <span className="jp-Studio-curveActions">
          <Button kind="quiet" icon={isPinned ? 'pinned' : 'pin'} title={isPinned ? trans.__('Unpin %1', metric) : trans.__('Pin %1: first, and in sight', metric)} onClick={() => onPin(metric)} />
          <Button kind="quiet" icon={isLarge ? 'shrink' : 'enlarge'} title={isLarge ? trans.__('Back to the grid') : trans.__('Enlarge %1', metric)} testId={TEST.chartEnlarge(metric)} onClick={() => onLarge(metric)} />
          <Download name={metric} figure={theme => figureOf(lines, frame, scale, theme)} legend={lines} csv={csv} />
        </span>
      </figcaption>
      <div
        ref={box}
        className="jp-Studio-curveArea"
        role="group"
        aria-roledescription={trans.__('chart')}
        aria-label={trans.__('%1 of %2. Arrow keys read values, Enter enlarges.', metric, lines.map(line => line.name).join(', '))}
        tabIndex={0}
        style={{ height }}
        onPointerMove={onPointerMove}
        onPointerLeave={() => hover.set(null)}
        onBlur={() => hover.set(null)}
        onKeyDown={onKeyDown}
      >
        <Plot draw={draw} height={height} label={metric} onZoom={(x, y) => onZoom(metric, x || y ? { x: x ? asRange(x) : zoom.x, y: y ?? zoom.y } : null)} />
        <Crosshair lines={lines} frame={frame} hover={hover} width={width} height={height} />
        {isEmpty && <div className="jp-Studio-chartEmpty">{isPending ? '' : trans.__('No points yet')}</div>}
        {isEmpty && isPending && <div className="jp-Studio-chartSkeleton" role="status" aria-label={trans.__('Loading')} />}
      </div>
    </figure>
  );
});

/** Plotly names dates in UTC; they were handed over so that UTC reads as local time. */
function asRange(x: [number | string, number | string]): Range {
  const number = (value: number | string): number => (typeof value === 'number' ? value : Date.parse(`${value.replace(' ', 'T')}Z`));
  return [number(x[0]), number(x[1])];
}

function nearestLine(lines: readonly ISeriesLine[], x: number, y: number): string | null {
  let best: string | null = null;
  let least = Infinity;
  for (const { id, line } of lines) {
    const distance = Math.abs((line.y[nearestIndex(line.x, x)] ?? NaN) - y);
    if (distance < least) {
      least = distance;
      best = id;
    }
  }
  return best;
}

/** Left and right go from point to point of a line, up and down from line to line. */
function byKey(key: string, lines: readonly ISeriesLine[], hover: Hover, metric: string, frame: IFrame): { x: number; metric: string; id: string | null } | null {
  const now = hover.current;
  const at = Math.max(0, lines.findIndex(line => line.id === now?.id));
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: 0, ArrowDown: 0 }[key];
  if (by === undefined || lines.length === 0) {
    return null;
  }
  const turned = key === 'ArrowDown' ? at + 1 : key === 'ArrowUp' ? at - 1 : at;
  const line = lines[(turned + lines.length) % lines.length];
  const xs = line?.line.x ?? [];
  const index = now ? Math.min(xs.length - 1, Math.max(0, nearestIndex(xs, now.x) + by)) : nearestIndex(xs, frame.x[1]);
  const x = xs[index];
  return x === undefined || !line ? null : { x, metric, id: line.id };
}

/** The value of the line that is nearest to the pointer, at the pointer's x, in each chart. */
function Reading({ metric, lines, hover, scale }: { metric: string; lines: readonly ISeriesLine[]; hover: Hover; scale: Scale }): JSX.Element | null {
  const now = useHover(hover);
  const line = now && lines.find(item => item.id === now.id);
  if (!line) {
    return null;
  }
  const y = line.line.y[nearestIndex(line.line.x, now.x)];
  return (
    <span className="jp-Studio-curveReading" data-testid={TEST.chartReading(metric)}>
      {y === undefined ? '–' : formatNumber(yValue(y, scale.logY))}
      <span className="jp-Studio-hint">{xText(now.x, scale)}</span>
    </span>
  );
}

function Crosshair({ lines, frame, hover, width, height }: { lines: readonly ISeriesLine[]; frame: IFrame; hover: Hover; width: number; height: number }): JSX.Element | null {
  const now = useHover(hover);
  if (!now || now.x < frame.x[0] || now.x > frame.x[1]) {
    return null;
  }
  const across = (x: number): number => toPixel(x, frame.x, MARGIN.l, width - MARGIN.r);
  const up = (y: number): number => toPixel(y, frame.y, height - MARGIN.b, MARGIN.t);
  return (
    <svg className="jp-Studio-crosshair" width={width} height={height} aria-hidden="true">
      <line className="jp-Studio-cross" x1={across(now.x)} x2={across(now.x)} y1={MARGIN.t} y2={height - MARGIN.b} />
      {lines.map(({ id, hue, line }) => {
        const index = nearestIndex(line.x, now.x);
        const [x, y] = [line.x[index], line.y[index]];
        const isIn = x !== undefined && y !== undefined && x >= frame.x[0] && x <= frame.x[1] && y >= frame.y[0] && y <= frame.y[1];
        return isIn && <circle key={id} className="jp-Studio-dot" cx={across(x)} cy={up(y)} r={id === now.id ? 4.5 : 3} fill={hueOf(hue)} />;
      })}
    </svg>
  );
}

