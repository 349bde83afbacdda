/** Where points lie on the axes, and back: the drawing, the pointer and the keys all ask here. */
import type { CurvePoint } from './curve-data';
import type { XAxis } from './state';

/** Least and greatest value in the units of the drawing: the logarithm to base 10 where an axis is logarithmic. */
export type Range = readonly [number, number];

/** A point's place on the x axis: its step, its local time (epoch ms, moved so that UTC reads as local), or seconds since `start`. */
export function xOf(point: CurvePoint, axis: XAxis, start: number): number {
  if (axis === 'step') {
    return point[0];
  }
  return axis === 'time' ? point[1] - new Date(point[1]).getTimezoneOffset() * 60_000 : (point[1] - start) / 1000;
}

/** As drawn on a logarithmic axis; what is not above zero has no place there. */
export function drawn(value: number, isLog: boolean): number {
  return isLog ? (value > 0 ? Math.log10(value) : NaN) : value;
}

/** Of finite values; null where there are none. */
export function extent(values: Iterable<number>): Range | null {
  let least = Infinity;
  let most = -Infinity;
  for (const value of values) {
    if (Number.isFinite(value)) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  return least <= most ? [least, most] : null;
}

/** Room around a range, so that lines do not touch the frame and a single value can be drawn. */
export function padded(range: Range | null, share: number): Range {
  if (!range) {
    return [0, 1];
  }
  const [least, most] = range;
  const width = most - least || Math.abs(least) * 0.2 || 1;
  return [least - width * share, most + width * share];
}

/**
 * From the 2nd to the 98th percentile. Not by quartiles: of a curve that levels off, most values lie close together, and
 * its way there would count as outlying.
 */
export function withoutOutliers(values: readonly number[]): Range | null {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  return sorted.length ? [quantile(sorted, 0.02), quantile(sorted, 0.98)] : null;
}

/** Linear between the two values around it; `sorted` ascending and not empty. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? below;
  return below + (above - below) * (at - Math.floor(at));
}

export function toPixel(value: number, [least, most]: Range, from: number, to: number): number {
  return from + ((value - least) / (most - least || 1)) * (to - from);
}

export function fromPixel(pixel: number, [least, most]: Range, from: number, to: number): number {
  return least + ((pixel - from) / (to - from || 1)) * (most - least);
}

/** Index of the value nearest to `x` in an ascending list; -1 if it is empty. */
export function nearestIndex(xs: readonly number[], x: number): number {
  let low = 0;
  let high = xs.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((xs[middle] ?? 0) < x) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low > 0 && x - (xs[low - 1] ?? 0) <= (xs[low] ?? 0) - x ? low - 1 : xs.length ? low : -1;
}

/** Unit of a length of time: its name and its seconds. */
export function timeUnit(seconds: number): ['s' | 'min' | 'h' | 'd', number] {
  return seconds < 180 ? ['s', 1] : seconds < 3 * 3600 ? ['min', 60] : seconds < 3 * 86_400 ? ['h', 3600] : ['d', 86_400];
}
