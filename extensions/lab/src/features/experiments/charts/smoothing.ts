/**
 * Exponential moving average in which a value counts less the farther to the left it lies, as Weights & Biases documents
 * its "time weighted EMA": the distance is measured in thousandths of the curve's width, so that uneven steps, thinned
 * curves and runs of different length are smoothed alike. The weights are divided by their sum, which takes the pull of
 * the start away (the bias correction of Adam: Kingma & Ba, 2015, section 3).
 *
 * @param xs where the values lie on the axis as it is drawn, ascending.
 * @param weight of the past, 0 (nothing is smoothed) to below 1.
 */
export function smoothed(xs: readonly number[], ys: readonly number[], weight: number): number[] {
  const first = xs[0] ?? 0;
  const width = (xs[xs.length - 1] ?? 0) - first;
  const keep = Math.min(Math.sqrt(Math.max(0, weight)), 0.999);
  if (keep === 0) {
    return [...ys];
  }
  let before = first;
  let sum = 0;
  let weights = 0;
  return ys.map((y, i) => {
    const x = xs[i] ?? before;
    if (!Number.isFinite(y) || !Number.isFinite(x)) {
      return NaN;
    }
    const decay = width > 0 ? keep ** (((x - before) / width) * THOUSAND) : keep;
    before = x;
    sum = sum * decay + y;
    weights = weights * decay + 1;
    return sum / weights;
  });
}

const THOUSAND = 1000;
