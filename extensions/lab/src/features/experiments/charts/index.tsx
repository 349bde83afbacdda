import type { Run } from '../../../api/model';
import { Curves } from '../curves';
import type { ChartsState } from './state';

interface IRunChartsProps {
  runs: Run[];
  metrics: string[];
  params: string[];
  /** Whether somebody selected the runs; otherwise they are those that train right now. */
  isChosen: boolean;
  onClear?: () => void;
  /** What is shown of them, for saved views and links; without it the charts keep it themselves. */
  state?: Partial<ChartsState>;
  onState?: (state: ChartsState) => void;
}

/** What is drawn for the chosen runs. */
export function RunCharts({ runs, metrics, isChosen, onClear }: IRunChartsProps): JSX.Element {
  return <Curves runs={runs} metrics={metrics} isChosen={isChosen} onClear={onClear} />;
}
