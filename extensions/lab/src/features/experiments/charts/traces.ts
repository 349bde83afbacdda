/** What Plotly draws for one metric. */
import { formatNumber } from '../../../format';
import { faint } from '../../../ui/colors';
import { IFigure, PlotTrace, plain } from '../../../ui/plotly';
import type { ITheme } from '../../../ui/theme';
import { ticksOf } from '../../../ui/scale';
import { Range, extent, padded, timeUnit, withoutOutliers } from './axes';
import type { ISeriesLine, Scale } from './series';

export const MARGIN = { l: 52, r: 12, t: 8, b: 24 };

export interface IFrame {
  x: Range;
  y: Range;
}

/** The ranges of the axes: those of the lines, or of the zoom. */
export function frameOf(lines: readonly ISeriesLine[], clip: boolean, zoom: { x: Range | null; y: Range | null }): IFrame {
  const x = zoom.x ?? padded(extent(lines.flatMap(line => ends(line))), 0.01);
  if (zoom.y) {
    return { x, y: zoom.y };
  }
  const seen = (list: { x: readonly number[] }, values: readonly number[]): number[] => (zoom.x ? values.filter((_, i) => (list.x[i] ?? NaN) >= x[0] && (list.x[i] ?? NaN) <= x[1]) : [...values]);
  const values = lines.flatMap(line => [...seen(line.raw, line.raw.y), ...seen(line.line, line.line.y), ...(line.band ? [...seen(line.band, line.band.low), ...seen(line.band, line.band.high)] : [])]);
  return { x, y: padded(clip ? withoutOutliers(values) : extent(values), 0.06) };
}

function ends({ raw, line, odd }: ISeriesLine): number[] {
  return [raw.x[0], raw.x[raw.x.length - 1], line.x[0], line.x[line.x.length - 1], ...odd.map(point => point.x)].filter(x => x !== undefined);
}

/** Traces and axes. Values are handed over as drawn: a logarithmic axis is a linear one of exponents with other labels. */
export function figureOf(lines: readonly ISeriesLine[], frame: IFrame, scale: Scale, theme: ITheme): IFigure {
  const color = (line: ISeriesLine): string => theme.hues[line.hue % theme.hues.length] ?? theme.text;
  const dash = (line: ISeriesLine): string => (line.hue >= theme.hues.length ? 'dash' : 'solid');
  const isSmooth = scale.smoothing > 0;
  const data: PlotTrace[] = [];
  for (const line of lines) {
    if (line.band) {
      const { x, low, high } = line.band;
      data.push({ type: 'scatter', mode: 'lines', x: [...x, ...[...x].reverse()], y: [...high, ...[...low].reverse()], fill: 'toself', fillcolor: faint(color(line), 0.16), line: { width: 0 } });
    } else if (isSmooth) {
      data.push({ type: 'scatter', mode: 'lines', x: line.raw.x, y: line.raw.y, line: { color: faint(color(line), 0.22), width: 1 } });
    }
  }
  for (const line of lines) {
    const few = line.line.x.length < (isSmooth ? 2 : 40); // a single point is no line
    data.push({
      type: 'scatter',
      mode: few ? 'lines+markers' : 'lines',
      name: plain(line.name),
      x: line.line.x,
      y: line.line.y,
      line: { color: color(line), width: 1.6, dash: dash(line), simplify: false },
      marker: { size: 4 }
    });
  }
  const odd = lines.filter(line => line.odd.length);
  if (odd.length) {
    data.push(oddTrace(odd, color));
  }
  return { data, layout: { margin: MARGIN, dragmode: 'zoom', xaxis: xAxis(frame.x, scale), yaxis: yAxis(frame.y, scale.logY), yaxis2: { overlaying: 'y', range: [0, 1], visible: false, fixedrange: true } } };
}

/** NaN as a cross at the foot, infinities as triangles at the edge that they point to. */
function oddTrace(lines: readonly ISeriesLine[], color: (line: ISeriesLine) => string): PlotTrace {
  const points = lines.flatMap(line => line.odd.map(({ x, value }) => ({ x, value, color: color(line) })));
  return {
    type: 'scatter',
    mode: 'markers',
    yaxis: 'y2',
    name: 'NaN',
    x: points.map(point => point.x),
    y: points.map(point => (point.value === Infinity ? 0.97 : 0.03)),
    marker: {
      size: 7,
      color: points.map(point => point.color),
      symbol: points.map(point => (Number.isNaN(point.value) ? 'x' : point.value > 0 ? 'triangle-up' : 'triangle-down'))
    },
    cliponaxis: false
  };
}

function xAxis(range: Range, scale: Scale): Record<string, unknown> {
  if (scale.x === 'time') {
    return { type: 'date', range: [...range], showgrid: false, nticks: 5 };
  }
  if (scale.logX) {
    return { ...logTicks(range), range: [...range], showgrid: false };
  }
  if (scale.x === 'relative') {
    const [unit, seconds] = timeUnit(range[1]);
    return { range: [...range], showgrid: false, ...unitTicks(range, seconds, unit) };
  }
  return { range: [...range], showgrid: false, nticks: 6, tickformat: '~s' };
}

function yAxis(range: Range, isLog: boolean): Record<string, unknown> {
  return isLog ? { ...logTicks(range), range: [...range] } : { range: [...range], nticks: 5, tickformat: '~g', exponentformat: 'e' };
}

/** Ticks at powers of ten, at twos and fives too where there are few powers, at round numbers where there is none. */
export function logTicks([least, most]: Range): { tickvals: number[]; ticktext: string[] } {
  const powers = most - least;
  if (powers < 0.9) {
    const tickvals = ticksOf({ min: 10 ** least, max: 10 ** most }, 4).filter(value => value > 0);
    return { tickvals: tickvals.map(Math.log10), ticktext: tickvals.map(formatNumber) };
  }
  const steps = powers > 2.5 ? [1] : [1, 2, 5];
  const every = Math.max(1, Math.ceil(powers / 6));
  const tickvals: number[] = [];
  for (let power = Math.floor(least); power <= most; power += 1) {
    for (const step of steps) {
      const at = power + Math.log10(step);
      if (at >= least && at <= most && power % every === 0) {
        tickvals.push(at);
      }
    }
  }
  return { tickvals, ticktext: tickvals.map(at => powerText(at)) };
}

function powerText(at: number): string {
  const value = Number((10 ** at).toPrecision(6));
  return value < 1e-3 || value >= 1e6 ? value.toExponential().replace('e+', 'e') : formatNumber(value);
}

/** Ticks at round numbers of a unit of time. */
export function unitTicks([least, most]: Range, seconds: number, unit: string): { tickvals: number[]; ticktext: string[] } {
  const rough = (most - least) / seconds / 5;
  const power = 10 ** Math.floor(Math.log10(rough || 1));
  const step = ([1, 2, 5, 10].find(factor => factor * power >= rough) ?? 10) * power * seconds;
  const tickvals: number[] = [];
  for (let at = Math.ceil(least / step) * step; at <= most && tickvals.length < 20; at += step) {
    tickvals.push(at);
  }
  return { tickvals, ticktext: tickvals.map(at => `${Number((at / seconds).toPrecision(6))} ${unit}`) };
}

/** A place on the x axis in words. */
export function xText(x: number, scale: Pick<Scale, 'x' | 'logX'>): string {
  if (scale.x === 'time') {
    return new Date(x).toISOString().replace('T', ' ').slice(0, 19);
  }
  const value = scale.logX ? 10 ** x : x;
  if (scale.x === 'relative') {
    const [unit, seconds] = timeUnit(value);
    return `${formatNumber(value / seconds)} ${unit}`;
  }
  return Math.round(value).toLocaleString('en-US');
}

/** A place on the y axis as the number logged. */
export function yValue(y: number, logY: boolean): number {
  return logY ? 10 ** y : y;
}
