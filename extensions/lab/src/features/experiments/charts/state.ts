/** What the charts show: plain data, so that saved views and links can carry it. */
import type { Run } from '../../../api/model';
import { defaultKeys } from '../columns';
import { differingKeys } from './values';

export type ChartTab = 'curves' | 'scatter' | 'parallel' | 'compare';

/** What the curves run over: the logged step, the clock, or the time since the run's start. */
export type XAxis = 'step' | 'time' | 'relative';

export interface ChartsState {
  tab: ChartTab;
  /** Metrics with a chart, in their order; empty: those that say most. */
  metrics: string[];
  /** Metrics that stay first and in sight. */
  pinned: string[];
  x: XAxis;
  logX: boolean;
  logY: boolean;
  /** Weight of the past in the moving average, 0 (off) to 0.99. */
  smoothing: number;
  /** Leave values far outside of the others out of the y range. */
  clip: boolean;
  /** A zoom in one chart zooms all. */
  linked: boolean;
  /** A parameter whose values make groups, drawn as mean and deviation; empty: every run by itself. */
  groupBy: string;
  /** Two parameters or metrics, and one for the colour: `params.depth`, `metrics.auc`. */
  scatter: { x: string; y: string; color: string };
  /** Axes from left to right, the colour, and on each axis the range that is brushed. */
  parallel: { axes: string[]; color: string; brushes: Record<string, [number, number]> };
  /** Compare: only the rows in which runs differ. */
  differing: boolean;
}

export const START: ChartsState = {
  tab: 'curves',
  metrics: [],
  pinned: [],
  x: 'step',
  logX: false,
  logY: false,
  smoothing: 0,
  clip: false,
  linked: true,
  groupBy: '',
  scatter: { x: '', y: '', color: '' },
  parallel: { axes: [], color: '', brushes: {} },
  differing: true
};

const FIRST = 6;
const AXES = 8;

/** More than one value: a step other than zero, or bounds that differ where a program logs without steps. */
export function hasCurve(run: Run, key: string): boolean {
  const metric = run.metrics[key];
  return !!metric && (metric.step !== 0 || metric.min !== metric.max);
}

/** Metrics with a chart: pinned ones first, then those chosen or those that say most. */
export function shownMetrics(drawable: readonly string[], state: ChartsState): string[] {
  const chosen = state.metrics.filter(key => drawable.includes(key));
  const pinned = state.pinned.filter(key => drawable.includes(key));
  return [...new Set([...pinned, ...(chosen.length ? chosen : defaultKeys(drawable, FIRST))])];
}

/** The chosen values of the scatter, or those that say most: a parameter in which runs differ against a metric. */
export function scatterChoice({ scatter }: ChartsState, runs: readonly Run[], metrics: readonly string[], params: readonly string[]): ChartsState['scatter'] {
  const differing = differingKeys(runs, metrics, params);
  const [best = metrics[0] ?? '', second = best] = defaultKeys(metrics, 2);
  const param = differing.find(key => key.startsWith('params.'));
  return { x: scatter.x || param || `metrics.${second}`, y: scatter.y || `metrics.${best}`, color: scatter.color };
}

/** The chosen axes, or up to eight: the parameters in which runs differ, then the metrics that say most. */
export function parallelChoice({ parallel }: ChartsState, runs: readonly Run[], metrics: readonly string[], params: readonly string[]): ChartsState['parallel'] {
  const differing = differingKeys(runs, metrics, params);
  const best = defaultKeys(metrics, 3).map(key => `metrics.${key}`);
  const chosen = differing.filter(key => key.startsWith('params.')).slice(0, AXES - best.length);
  const axes = parallel.axes.length ? parallel.axes : [...chosen, ...best.filter(key => differing.includes(key)).reverse()];
  return { axes, color: parallel.color || (best[0] ?? ''), brushes: parallel.brushes };
}
