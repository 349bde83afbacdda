/** What the charts show: plain data, so that saved views and links can carry it. */

export type ChartTab = 'curves' | 'scatter' | 'parallel' | 'compare';

/** What the curves run over: the logged step, the clock, or the time since the run's first value. */
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
