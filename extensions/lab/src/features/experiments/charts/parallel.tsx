import { PointerEvent, useCallback, useMemo, useState } from 'react';

import type { Run } from '../../../api/model';
import { formatCount, formatNumber } from '../../../format';
import { useStudio, useWidth } from '../../../hooks';
import { TEST } from '../../../testids';
import { Button, IFigure, ITheme, Plot, PlotTrace, Select, faint, plain, useTheme } from '../../../ui';
import { AxisChooser, AxisView, ticksOf } from './parallel-axis';
import { ColorLegend, colorsOf } from './color-scale';
import { csvOf } from './csv';
import { Download } from './download';
import { ChartsState, parallelChoice } from './state';
import { IDimension, dimensionOf, shareOf, shareOfNumber } from './values';

interface IParallelProps {
  runs: Run[];
  metrics: string[];
  params: string[];
  height: number;
  state: ChartsState;
  onChange: (change: Partial<ChartsState>) => void;
}

const MARGIN = { l: 72, r: 72, t: 36, b: 20 };
const REACH = 12; // px from the pointer to a line

/** Runs as lines over any number of axes; ranges brushed on the axes filter them. */
export function ParallelTab({ runs, metrics, params, height, state, onChange }: IParallelProps): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const theme = useTheme();
  const [box, width] = useWidth<HTMLDivElement>();
  const [near, setNear] = useState<number | null>(null);
  const choice = useMemo(() => parallelChoice(state, runs, metrics, params), [state, runs, metrics, params]);
  const axes = useMemo(() => choice.axes.map(key => dimensionOf(runs, key)), [runs, choice.axes]);
  const color = useMemo(() => (choice.color ? dimensionOf(runs, choice.color) : null), [runs, choice.color]);
  const inside = useMemo(() => runs.map((_, i) => axes.every(axis => isInside(axis, i, choice.brushes[axis.key]))), [runs, axes, choice.brushes]);
  const draw = useCallback((colors: ITheme) => figureOf(axes, color, inside, colors), [axes, color, inside]);
  const change = (parallel: Partial<ChartsState['parallel']>): void => onChange({ parallel: { ...choice, ...parallel } });
  const brush = (key: string, range: [number, number] | null): void => {
    const rest = Object.fromEntries(Object.entries(choice.brushes).filter(([other]) => other !== key));
    change({ brushes: range ? { ...rest, [key]: range } : rest });
  };
  const across = (index: number): number => MARGIN.l + (axes.length > 1 ? (index / (axes.length - 1)) * (width - MARGIN.l - MARGIN.r) : 0);
  const up = (share: number): number => height - MARGIN.b - share * (height - MARGIN.b - MARGIN.t);
  const nearest = (event: PointerEvent<HTMLElement> | React.MouseEvent<HTMLElement>): number | null => {
    const area = event.currentTarget.getBoundingClientRect();
    const x = event.clientX - area.left;
    const place = ((x - MARGIN.l) / (width - MARGIN.l - MARGIN.r)) * (axes.length - 1);
    const distance = (i: number): number => Math.abs(up(lineAt(axes, i, place) ?? NaN) - (event.clientY - area.top));
    const there = runs.map((_, i) => i).filter(i => inside[i] && Number.isFinite(distance(i)));
    const best = there.reduce<number | null>((found, i) => (found === null || distance(i) < distance(found) ? i : found), null);
    return best !== null && distance(best) <= REACH ? best : null;
  };
  const count = inside.filter(Boolean).length;
  const options: [string, string][] = [...metrics.map((key): [string, string] => [`metrics.${key}`, key]), ...params.map((key): [string, string] => [`params.${key}`, trans.__('%1 (parameter)', key)])];
  const run = near === null ? undefined : runs[near];
  const path = near === null ? '' : axes.map((axis, i) => [across(i), shareOf(axis, axis.values[near] ?? null)] as const).filter((at): at is readonly [number, number] => at[1] !== null).map(([x, share], i) => `${i ? 'L' : 'M'}${x} ${up(share)}`).join('');
  return (
    <>
      <div className="jp-Studio-chartTools" role="toolbar" aria-label={trans.__('Parallel coordinates')}>
        <AxisChooser options={options} chosen={choice.axes} onChange={keys => change({ axes: keys })} />
        <label className="jp-Studio-chartPick">
          {trans.__('Colour')}
          <Select label={trans.__('Colour')} testId={TEST.chartControl('parallel-color')} value={choice.color} options={options} onChange={key => change({ color: key })} />
        </label>
        {color && <ColorLegend dimension={color} theme={theme} />}
        <span className="jp-Studio-hint" role="status" data-testid={TEST.chartControl('inside')}>
          {trans.__('%1 of %2 runs', formatCount(count), formatCount(runs.length))}
        </span>
        {Object.keys(choice.brushes).length > 0 && (
          <Button kind="quiet" icon="undo" onClick={() => change({ brushes: {} })}>
            {trans.__('Clear ranges')}
          </Button>
        )}
        <Download name={trans.__('Parallel coordinates')} figure={colors => withAxes(draw(colors), axes, colors)} csv={() => csvOf(['run_id', 'run', ...choice.axes], runs.map((item, i) => [item.run_id, item.name, ...axes.map(axis => axis.values[i])]))} />
      </div>
      <div
        ref={box}
        className="jp-Studio-curveArea"
        role="group"
        aria-label={trans.__('Parallel coordinates of %1', axes.map(axis => axis.label).join(', '))}
        style={{ height, cursor: near === null ? undefined : 'pointer' }}
        data-testid={TEST.chart('parallel')}
        onPointerMove={event => setNear(event.buttons ? null : nearest(event))}
        onPointerLeave={() => setNear(null)}
        onClick={event => {
          const found = runs[nearest(event) ?? -1];
          if (found && !(event.target as Element).closest('[data-axis]')) {
            studio.open('run', found.run_id);
          }
        }}
      >
        <Plot draw={draw} height={height} label={trans.__('Parallel coordinates')} isStatic />
        <svg className="jp-Studio-crosshair" width={width} height={height} aria-hidden="true">
          {path && <path className="jp-Studio-nearLine" d={path} />}
        </svg>
        {axes.map((axis, i) => (
          <AxisView
            key={axis.key}
            axis={axis}
            x={across(i)}
            top={up(1)}
            bottom={up(0)}
            brush={choice.brushes[axis.key] ?? null}
            onBrush={range => brush(axis.key, range)}
            onMove={by => change({ axes: moved(choice.axes, i, by) })}
          />
        ))}
        {axes.length === 0 && <div className="jp-Studio-chartEmpty">{trans.__('These runs do not differ in any parameter or metric')}</div>}
        {run && near !== null && (
          <div className="jp-Studio-tooltip jp-mod-top" role="status">
            <b>{run.name}</b>
            {color && (
              <span>
                {color.label} {formatNumber(color.values[near])}
              </span>
            )}
          </div>
        )}
      </div>
    </>
  );
}

/** Whether a run lies in the brushed range of an axis; one that has no value there does not. */
export function isInside(axis: IDimension, index: number, range: readonly [number, number] | undefined): boolean {
  if (!range) {
    return true;
  }
  const share = shareOf(axis, axis.values[index] ?? null);
  return share !== null && share >= shareOfNumber(axis, range[0]) - 1e-9 && share <= shareOfNumber(axis, range[1]) + 1e-9;
}

/** How high a run's line is at a place between axes (0 is the first axis). */
function lineAt(axes: readonly IDimension[], index: number, place: number): number | null {
  const left = Math.min(axes.length - 2, Math.max(0, Math.floor(place)));
  const [a, b] = [axes[left], axes[left + 1]];
  const from = a ? shareOf(a, a.values[index] ?? null) : null;
  const to = b ? shareOf(b, b.values[index] ?? null) : from;
  return from === null || to === null || place < 0 || place > axes.length - 1 ? null : from + (to - from) * (place - left);
}

function moved(keys: readonly string[], index: number, by: number): string[] {
  const next = [...keys];
  const [key] = next.splice(index, 1);
  next.splice(Math.min(next.length, Math.max(0, index + by)), 0, key ?? '');
  return next;
}

/** One trace for each colour, with gaps between its runs; those outside of the brushes lie beneath. */
function figureOf(axes: readonly IDimension[], color: IDimension | null, inside: readonly boolean[], theme: ITheme): IFigure {
  const colors = color ? colorsOf(color, theme) : inside.map(() => theme.hues[0] ?? theme.text);
  const traces = new Map<string, { x: (number | null)[]; y: (number | null)[] }>();
  const order = inside.map((isIn, i) => ({ i, isIn })).sort((a, b) => Number(a.isIn) - Number(b.isIn));
  for (const { i, isIn } of order) {
    const shade = isIn ? (colors[i] ?? theme.text) : 'out';
    const trace = traces.get(shade) ?? { x: [], y: [] };
    traces.set(shade, trace);
    axes.forEach((axis, place) => {
      trace.x.push(place);
      trace.y.push(shareOf(axis, axis.values[i] ?? null));
    });
    trace.x.push(null);
    trace.y.push(null);
  }
  const data: PlotTrace[] = [...traces].map(([shade, { x, y }]) => ({
    type: 'scatter',
    mode: 'lines',
    x,
    y,
    connectgaps: false,
    line: { color: shade === 'out' ? faint(theme.soft, 0.18) : faint(shade, 0.85), width: shade === 'out' ? 1 : 1.6 }
  }));
  const axis = { visible: false, fixedrange: true };
  return { data, layout: { margin: MARGIN, xaxis: { ...axis, range: [0, Math.max(1, axes.length - 1)] }, yaxis: { ...axis, range: [0, 1] } } };
}

/** With the axes that the view lays over the lines, for a picture of its own. */
function withAxes(figure: IFigure, axes: readonly IDimension[], theme: ITheme): IFigure {
  const shapes = axes.map((_, x) => ({ type: 'line', x0: x, x1: x, y0: 0, y1: 1, line: { color: theme.soft, width: 1 } }));
  const annotations = axes.flatMap((axis, x) => ticksOf(axis).map(({ share, text }) => ({ x, y: share, text: plain(text), showarrow: false, xanchor: 'left', xshift: 4, font: { size: 10, color: theme.soft } })));
  const names = { visible: true, side: 'top', tickvals: axes.map((_, x) => x), ticktext: axes.map(axis => plain(axis.label)), showgrid: false, range: [-0.1, axes.length - 0.7] };
  return { data: figure.data, layout: { ...figure.layout, xaxis: names, shapes, annotations } };
}
