/** Curves as they come from the server, and as they grow while a run trains. */
import type { CurveAnswer } from '../../../api/model';

/** [step, epoch ms, value]; NaN and ±Infinity are themselves. */
export type CurvePoint = readonly [step: number, ts: number, value: number];

export interface ICurve {
  readonly runId: string;
  readonly key: string;
  /** By step and time; the ends, and the extremes of each stretch that was thinned out. */
  readonly points: readonly CurvePoint[];
  /** Averages of the stretches; empty where `points` are all there are. */
  readonly means: readonly CurvePoint[];
  readonly isThinned: boolean;
}

export function curveOf(answer: CurveAnswer): ICurve {
  return {
    runId: answer.run_id,
    key: answer.key,
    points: answer.points.map(([step, ts, value]) => [step, ts, Number(value)] as const),
    means: answer.means,
    isThinned: answer.is_thinned
  };
}

/** What smoothing and averaging start from: the means where there are any, else the points, without what is no number. */
export function centreOf(curve: ICurve): CurvePoint[] {
  return (curve.means.length ? curve.means : curve.points).filter(point => Number.isFinite(point[2]));
}

/** The curve with what was logged from the step `since` on in place of what was known from there on. */
export function grown(known: ICurve, fresh: ICurve, since: number): ICurve {
  const before = (points: readonly CurvePoint[]): CurvePoint[] => points.filter(point => point[0] < since);
  const isThinned = known.isThinned || fresh.isThinned;
  return {
    ...fresh,
    points: [...before(known.points), ...fresh.points],
    means: isThinned ? [...before(centreOf(known)), ...centreOf(fresh)] : [],
    isThinned
  };
}

/** The step of the last point that is known. */
export function lastStep(curve: ICurve): number {
  return curve.points[curve.points.length - 1]?.[0] ?? Number.MIN_SAFE_INTEGER;
}
