/** From curves to what one chart draws: a line for each run, or one with a band for each group of runs. */
import type { Run } from '../../../api/model';
import { drawn, nearestIndex, xOf } from './axes';
import { CurvePoint, ICurve, centreOf } from './curve-data';
import { smoothed } from './smoothing';
import type { ChartsState } from './state';

/** Lines by themselves hold their values as drawn: x and y are logarithms where the axis is logarithmic. */
export interface ILine {
  x: number[];
  y: number[];
}

export interface ISeriesLine {
  /** Run id, or the group's value. */
  id: string;
  name: string;
  /** Index of the hue. */
  hue: number;
  /** What was logged; empty for a group. */
  raw: ILine;
  /** The line that the eye follows: smoothed, or what was logged. */
  line: ILine;
  /** Mean plus and minus the deviation of a group. */
  band?: { x: number[]; low: number[]; high: number[] };
  /** Where something was logged that is no number, after something that was another. */
  odd: { x: number; value: number }[];
}

export type Scale = Pick<ChartsState, 'x' | 'logX' | 'logY' | 'smoothing'>;

const GRID = 160;

/** The line of one run. */
export function seriesOf(curve: ICurve, run: Run, hue: number, scale: Scale): ISeriesLine {
  const isLogX = scale.logX && scale.x !== 'time';
  const place = (point: CurvePoint): number => drawn(xOf(point, scale.x, run.start_ms), isLogX);
  const points = inOrder(curve.points, scale.x).filter(point => !Number.isNaN(place(point)));
  const raw = { x: points.map(place), y: points.map(point => drawn(finite(point[2]), scale.logY)) };
  // The first of several in a row: where it began is what one looks for.
  const odd = points.filter((point, i) => !Number.isFinite(point[2]) && !Object.is(point[2], points[i - 1]?.[2])).map(point => ({ x: place(point), value: point[2] }));
  let line = raw;
  if (scale.smoothing > 0) {
    const centre = inOrder(centreOf(curve), scale.x).filter(point => !Number.isNaN(place(point)));
    const x = centre.map(place);
    line = { x, y: smoothed(x, centre.map(point => drawn(point[2], scale.logY)), scale.smoothing) };
  }
  return { id: run.run_id, name: run.name, hue, raw, line, odd };
}

/** Over time, what was logged later lies to the right, whatever its step. */
function inOrder(points: readonly CurvePoint[], axis: Scale['x']): readonly CurvePoint[] {
  return axis === 'step' ? points : [...points].sort((a, b) => a[1] - b[1]);
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : NaN;
}

/**
 * Groups of lines as their mean and sample deviation (n − 1) on one grid; between two points a line counts as straight,
 * outside of its ends it does not count. `lines` are those of a linear y axis: the mean is that of the values, on a
 * logarithmic axis too.
 */
export function groupsOf(lines: readonly ISeriesLine[], groupOf: (id: string) => string, logY: boolean): ISeriesLine[] {
  const groups = new Map<string, ISeriesLine[]>();
  for (const line of lines) {
    const name = groupOf(line.id);
    groups.set(name, [...(groups.get(name) ?? []), line]);
  }
  return [...groups].sort(([a], [b]) => a.localeCompare(b, undefined, { numeric: true })).map(([name, members], hue) => onLog(mean(name, members, hue), logY));
}

/** A band that reaches to zero or below would end nowhere on a logarithmic axis: it ends a decade under the mean. */
function onLog(group: ISeriesLine, logY: boolean): ISeriesLine {
  const { line, band } = group;
  if (!logY || !band) {
    return group;
  }
  const y = line.y.map(value => drawn(value, true));
  const low = band.low.map((value, i) => (value > 0 ? Math.log10(value) : (y[i] ?? NaN) - 1));
  return { ...group, line: { x: line.x, y }, band: { x: band.x, low, high: band.high.map(value => drawn(value, true)) } };
}

function mean(name: string, members: readonly ISeriesLine[], hue: number): ISeriesLine {
  const x = gridOf(members.map(member => member.line.x));
  const line: ILine = { x: [], y: [] };
  const band: NonNullable<ISeriesLine['band']> = { x: [], low: [], high: [] };
  for (const at of x) {
    const values = members.map(member => valueAt(member.line, at)).filter(Number.isFinite);
    if (values.length === 0) {
      continue;
    }
    const average = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - average) ** 2, 0);
    const deviation = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0;
    line.x.push(at);
    line.y.push(average);
    band.x.push(at);
    band.low.push(average - deviation);
    band.high.push(average + deviation);
  }
  return { id: name, name: `${name} (${members.length})`, hue, raw: { x: [], y: [] }, line, band, odd: members.flatMap(member => member.odd) };
}

/** The points themselves where lines share them, else an even grid from the first to the last. */
function gridOf(lists: readonly (readonly number[])[]): number[] {
  const all = [...new Set(lists.flat())].sort((a, b) => a - b);
  const first = all[0] ?? 0;
  const last = all[all.length - 1] ?? 0;
  return all.length <= GRID ? all : Array.from({ length: GRID }, (_, i) => first + ((last - first) * i) / (GRID - 1));
}

/** A line's value between its points; NaN outside of them. */
export function valueAt({ x, y }: ILine, at: number): number {
  const near = nearestIndex(x, at);
  const place = x[near];
  if (place === undefined || place === at) {
    return y[near] ?? NaN;
  }
  const [left, right] = place < at ? [near, near + 1] : [near - 1, near];
  const from = x[left];
  const to = x[right];
  if (from === undefined || to === undefined) {
    return NaN;
  }
  return (y[left] ?? NaN) + ((y[right] ?? NaN) - (y[left] ?? NaN)) * ((at - from) / (to - from || 1));
}
