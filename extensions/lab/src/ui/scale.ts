/** Pure geometry of charts: ranges, round tick values, thinning. */

export type Point = [number, number];

export interface IRange {
  min: number;
  max: number;
}

/** Least and greatest finite value; a flat or empty range is widened so that it can be drawn. */
export function rangeOf(values: Iterable<number>): IRange {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (Number.isFinite(value)) {
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
  }
  if (min > max) {
    return { min: 0, max: 1 };
  }
  if (min === max) {
    const pad = min === 0 ? 1 : Math.abs(min) * 0.1;
    return { min: min - pad, max: max + pad };
  }
  return { min, max };
}

/** About `count` round values (1, 2 or 5 times a power of ten) inside the range. */
export function ticksOf({ min, max }: IRange, count: number, whole = false): number[] {
  const rough = (max - min) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max([1, 2, 5, 10].map(m => m * power).find(s => s >= rough) ?? power * 10, whole ? 1 : 0);
  const ticks: number[] = [];
  for (let tick = Math.ceil(min / step - 1e-9) * step; tick <= max + step * 1e-6; tick += step) {
    ticks.push(Number(tick.toPrecision(12)));
  }
  return ticks;
}

/** A function from the range to pixels `from`…`to`. */
export function scaleTo({ min, max }: IRange, from: number, to: number): (value: number) => number {
  const factor = (to - from) / (max - min || 1);
  return value => from + (value - min) * factor;
}

/** SVG path through the points; what is not finite leaves a gap. */
export function pathOf(points: readonly Point[], x: (v: number) => number, y: (v: number) => number): string {
  let path = '';
  let pen = 'M';
  for (const [px, py] of points) {
    if (!Number.isFinite(py)) {
      pen = 'M';
      continue;
    }
    path += `${pen}${x(px).toFixed(1)} ${y(py).toFixed(1)}`;
    pen = 'L';
  }
  return path;
}

/** The point whose x lies nearest. */
export function nearest(points: readonly Point[], x: number): Point | undefined {
  let best: Point | undefined;
  for (const point of points) {
    if (!best || Math.abs(point[0] - x) < Math.abs(best[0] - x)) {
      best = point;
    }
  }
  return best;
}

/** Shares of the whole, so that windows of different size compare. */
export function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map(count => (total ? count / total : 0));
}
