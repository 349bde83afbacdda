import { KeyboardEvent, PointerEvent, useCallback, useMemo, useState } from 'react';

import type { Run } from '../../../api/model';
import { formatNumber } from '../../../format';
import { useStudio, useWidth } from '../../../hooks';
import { TEST } from '../../../testids';
import { IFigure, ITheme, Plot, Select, hue, plain, useTheme } from '../../../ui';
import { Range, padded, toPixel } from './axes';
import { ColorLegend, colorsOf } from './color-scale';
import { csvOf } from './csv';
import { Download } from './download';
import { scatterChoice } from './state';
import type { ChartsState } from './state';
import { logTicks } from './traces';
import { IDimension, Value, dimensionOf, splitKey } from './values';

interface IScatterProps {
  runs: Run[];
  metrics: string[];
  params: string[];
  hues: ReadonlyMap<string, number>;
  height: number;
  state: ChartsState;
  onChange: (change: Partial<ChartsState>) => void;
}

const MARGIN = { l: 64, r: 16, t: 12, b: 44 };
const REACH = 24; // px from the pointer to a point

/** Runs as points over any two of their values. */
export function ScatterTab({ runs, metrics, params, hues, height, state, onChange }: IScatterProps): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const theme = useTheme();
  const [box, width] = useWidth<HTMLDivElement>();
  const [near, setNear] = useState<number | null>(null);
  const choice = useMemo(() => scatterChoice(state, runs, metrics, params), [state, runs, metrics, params]);
  const plot = useMemo(() => {
    const [x, y] = [dimensionOf(runs, choice.x), dimensionOf(runs, choice.y)];
    return { x, y, color: choice.color ? dimensionOf(runs, choice.color) : null, xs: x.values.map(value => placeOf(x, value)), ys: y.values.map(value => placeOf(y, value)), ranges: { x: rangeOf(x), y: rangeOf(y) } };
  }, [runs, choice]);
  const draw = useCallback((colors: ITheme) => figureOf(plot, runs, hues, colors), [plot, runs, hues]);
  const options: [string, string][] = [...metrics.map((key): [string, string] => [`metrics.${key}`, key]), ...params.map((key): [string, string] => [`params.${key}`, trans.__('%1 (parameter)', key)]), ['run.duration', trans.__('Duration, s')]];
  const pick = (part: 'x' | 'y' | 'color', label: string, more: [string, string][] = []): JSX.Element => (
    <label className="jp-Studio-chartPick">
      {label}
      <Select label={label} testId={TEST.chartControl(`scatter-${part}`)} value={choice[part]} options={[...more, ...options]} onChange={key => onChange({ scatter: { ...choice, [part]: key } })} />
    </label>
  );
  const across = (i: number): number => toPixel(plot.xs[i] ?? NaN, plot.ranges.x, MARGIN.l, width - MARGIN.r);
  const up = (i: number): number => toPixel(plot.ys[i] ?? NaN, plot.ranges.y, height - MARGIN.b, MARGIN.t);
  const there = runs.map((_, i) => i).filter(i => Number.isFinite(plot.xs[i]) && Number.isFinite(plot.ys[i]));
  const nearest = (event: PointerEvent<HTMLElement> | React.MouseEvent<HTMLElement>): number | null => {
    const area = event.currentTarget.getBoundingClientRect();
    const distance = (i: number): number => Math.hypot(across(i) - (event.clientX - area.left), up(i) - (event.clientY - area.top));
    const best = there.reduce<number | null>((found, i) => (found === null || distance(i) < distance(found) ? i : found), null);
    return best !== null && distance(best) <= REACH ? best : null;
  };
  const open = (i: number | null): void => {
    const run = i === null ? undefined : runs[i];
    if (run) {
      studio.open('run', run.run_id);
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const sorted = [...there].sort((a, b) => (plot.xs[a] ?? 0) - (plot.xs[b] ?? 0));
    if (by && sorted.length) {
      event.preventDefault();
      const at = near === null ? (by > 0 ? -1 : 0) : sorted.indexOf(near);
      setNear(sorted[(at + by + sorted.length) % sorted.length] ?? null);
    } else if (event.key === 'Enter') {
      open(near);
    }
  };
  const name = `${plot.y.label} ${trans.__('over')} ${plot.x.label}`;
  const run = near === null ? undefined : runs[near];
  return (
    <>
      <div className="jp-Studio-chartTools" role="toolbar" aria-label={trans.__('Scatter')}>
        {pick('x', trans.__('X'))}
        {pick('y', trans.__('Y'))}
        {pick('color', trans.__('Colour'), [['', trans.__('Run')]])}
        {plot.color && <ColorLegend dimension={plot.color} theme={theme} />}
        <Download name={name} figure={draw} csv={() => csvOf(['run_id', 'run', plot.x.key, plot.y.key, ...(plot.color ? [plot.color.key] : [])], runs.map((item, i) => [item.run_id, item.name, plot.x.values[i], plot.y.values[i], ...(plot.color ? [plot.color.values[i]] : [])]))} />
      </div>
      <div
        ref={box}
        className="jp-Studio-curveArea jp-mod-points"
        role="group"
        aria-roledescription={trans.__('chart')}
        aria-label={trans.__('%1. Arrow keys go from run to run, Enter opens one.', name)}
        tabIndex={0}
        style={{ height, cursor: near === null ? undefined : 'pointer' }}
        data-testid={TEST.chart('scatter')}
        onPointerMove={event => setNear(nearest(event))}
        onPointerLeave={() => setNear(null)}
        onClick={event => open(nearest(event))}
        onKeyDown={onKeyDown}
      >
        <Plot draw={draw} height={height} label={name} isStatic />
        {there.length === 0 && <div className="jp-Studio-chartEmpty">{trans.__('None of these runs has both values')}</div>}
        {run && near !== null && (
          <>
            <svg className="jp-Studio-crosshair" width={width} height={height} aria-hidden="true">
              <circle className="jp-Studio-ring" cx={across(near)} cy={up(near)} r={8} />
            </svg>
            <div className="jp-Studio-tooltip" role="status" style={{ top: Math.max(4, up(near) - 28), ...(across(near) > width / 2 ? { right: width - across(near) + 14 } : { left: across(near) + 14 }) }}>
              <div className="jp-Studio-reading">
                <i style={{ background: hue(hues.get(run.run_id) ?? 0) }} />
                <b>{run.name}</b>
              </div>
              {[plot.x, plot.y, ...(plot.color ? [plot.color] : [])].map(dimension => (
                <div key={dimension.key} className="jp-Studio-reading">
                  <span>{dimension.label}</span>
                  <b>{formatNumber(dimension.values[near])}</b>
                </div>
              ))}
            </div>
          </>
        )}
      </div>
    </>
  );
}

/** In the units of the drawing: the index of a category, or the exponent on a logarithmic axis. */
function placeOf({ categories, isLog }: IDimension, value: Value): number {
  if (value === null) {
    return NaN;
  }
  return categories ? categories.indexOf(String(value)) : isLog ? Math.log10(Number(value)) : Number(value);
}

function rangeOf(dimension: IDimension): Range {
  return padded([placeOf(dimension, dimension.categories ? (dimension.categories[0] ?? '') : dimension.least), placeOf(dimension, dimension.categories ? (dimension.categories[dimension.most] ?? '') : dimension.most)], 0.08);
}

interface IScatterPlot {
  x: IDimension;
  y: IDimension;
  color: IDimension | null;
  xs: number[];
  ys: number[];
  ranges: { x: Range; y: Range };
}

function figureOf({ x, y, color, xs, ys, ranges }: IScatterPlot, runs: readonly Run[], hues: ReadonlyMap<string, number>, theme: ITheme): IFigure {
  const colors = color ? colorsOf(color, theme) : runs.map(run => theme.hues[(hues.get(run.run_id) ?? 0) % theme.hues.length] ?? theme.text);
  const axis = (dimension: IDimension, range: Range): Record<string, unknown> => ({
    range: [...range],
    title: { text: plain(titleOf(dimension)), font: { size: 11, color: theme.soft }, standoff: 8 },
    tickformat: '~g',
    ...(dimension.categories ? { tickvals: dimension.categories.map((_, i) => i), ticktext: dimension.categories.map(text => plain(text.length > 18 ? `${text.slice(0, 17)}…` : text)) } : dimension.isLog ? logTicks(range) : {})
  });
  return {
    data: [{ type: 'scatter', mode: 'markers', x: xs, y: ys, marker: { size: 10, color: colors, line: { color: theme.paper, width: 1 } } }],
    layout: { margin: MARGIN, xaxis: axis(x, ranges.x), yaxis: axis(y, ranges.y) }
  };
}

function titleOf({ key, label }: IDimension): string {
  return splitKey(key)[0] === 'run' ? `${label}, s` : label;
}
