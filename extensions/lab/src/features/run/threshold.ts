import type { Evaluation, MatrixCell } from '../../api/model';

export type Matrix = Record<MatrixCell, number>;

/** The matrix at a threshold, from the curve that came with the evaluation: its first cut at or above it. */
export function atThreshold(data: Pick<Evaluation, 'curve' | 'matrix' | 'threshold'>, threshold: number): Matrix {
  if (threshold === data.threshold || data.curve.length === 0) {
    return data.matrix;
  }
  // A row counts as positive when its probability reaches the threshold, so what holds is the next cut at or above.
  const sorted = [...data.curve].sort((a, b) => a[0] - b[0]);
  const point = sorted.find(([cut]) => cut >= threshold - 1e-9);
  if (!point) {
    const { tp, fp, fn, tn } = data.matrix;
    return { tp: 0, fp: 0, fn: tp + fn, tn: fp + tn };
  }
  const [, tp, fp, fn, tn] = point;
  return { tp, fp, fn, tn };
}

export interface IRates {
  accuracy: number | null;
  precision: number | null;
  recall: number | null;
  f1: number | null;
}

/** Accuracy, precision, recall and F1; null where nothing is to be divided by. */
export function ratesOf({ tp, fp, fn, tn }: Matrix): IRates {
  const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);
  return {
    accuracy: share(tp + tn, tp + fp + fn + tn),
    precision: share(tp, tp + fp),
    recall: share(tp, tp + fn),
    f1: share(2 * tp, 2 * tp + fp + fn)
  };
}
