import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import type { Run } from '../../../api/model';
import { useStudio } from '../../../hooks';
import { TEST } from '../../../testids';
import { Button, CodeSnippet, Tabs } from '../../../ui';
import { isLive } from '../columns';
import { codeOf } from './code';
import { CompareTab } from './compare';
import { CurvesTab } from './curves';
import { ParallelTab } from './parallel';
import { ScatterTab } from './scatter';
import { ChartTab, ChartsState, START, hasCurve, shownMetrics } from './state';

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
  /** Index of each run's hue, as in the table; without it the order of `runs`. */
  hues?: ReadonlyMap<string, number>;
}

const KEPT = 'experiments/charts';
const TOOLS = 64; // px of the toolbar above a chart and the room below it
const LEAST = 240;
const MOST = 640;

/** The height left for a chart that is alone in the body. */
function useFreeHeight(): [React.RefObject<HTMLDivElement>, number] {
  const ref = useRef<HTMLDivElement>(null);
  const [height, setHeight] = useState(LEAST);
  useEffect(() => {
    const element = ref.current;
    const observer = new ResizeObserver(() => element && setHeight(Math.min(MOST, Math.max(LEAST, element.clientHeight - TOOLS))));
    if (element) {
      observer.observe(element);
    }
    return () => observer.disconnect();
  }, []);
  return [ref, height];
}

/** What is drawn for the chosen runs. */
export function RunCharts({ runs, metrics, params, isChosen, onClear, state: given, onState, hues: named }: IRunChartsProps): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const [own, setOwn] = useState<Partial<ChartsState>>(() => (studio.cache.get(KEPT) as Partial<ChartsState> | undefined) ?? {});
  const [showsCode, setShowsCode] = useState(false);
  const state = useMemo((): ChartsState => ({ ...START, ...(given ?? own) }), [given, own]);
  const onChange = useCallback(
    (change: Partial<ChartsState>) => {
      const next = { ...state, ...change };
      studio.cache.set(KEPT, next);
      setOwn(next);
      onState?.(next);
    },
    [state, studio, onState]
  );
  const hues = useMemo(() => named ?? new Map(runs.map((run, i) => [run.run_id, i])), [named, runs]);
  const drawable = useMemo(() => metrics.filter(key => runs.some(run => hasCurve(run, key))), [runs, metrics]);
  const tabs: [ChartTab, string][] = [
    ['curves', trans.__('Curves')],
    ['scatter', trans.__('Scatter')],
    ['parallel', trans.__('Parallel coordinates')],
    ['compare', trans.__('Compare')]
  ];
  const live = runs.filter(isLive).length;
  const [body, height] = useFreeHeight();
  return (
    <section className="jp-Studio-charts" data-testid={TEST.runCurves}>
      <header className="jp-Studio-chartsHead">
        <Tabs tabs={tabs} active={state.tab} onSelect={tab => onChange({ tab })} testId={TEST.chartTab} />
        <span className="jp-Studio-hint">{isChosen ? trans._n('%1 selected run', '%1 selected runs', runs.length) : trans._n('%1 run is training', '%1 runs are training', live)}</span>
        <span className="jp-Studio-chartsActions">
          <Button kind="quiet" icon="code" title={trans.__('Show the code for this')} testId={TEST.chartCode} onClick={() => setShowsCode(!showsCode)} />
          {onClear && <Button kind="quiet" icon="close" title={trans.__('Clear the selection')} onClick={onClear} />}
        </span>
      </header>
      {showsCode && <CodeSnippet code={codeOf(state, runs, shownMetrics(drawable, state), metrics, params)} />}
      <div className="jp-Studio-chartsBody" ref={body}>
        {state.tab === 'curves' && <CurvesTab runs={runs} drawable={drawable} params={params} hues={hues} state={state} onChange={onChange} />}
        {state.tab === 'scatter' && <ScatterTab runs={runs} metrics={metrics} params={params} hues={hues} height={height} state={state} onChange={onChange} />}
        {state.tab === 'parallel' && <ParallelTab runs={runs} metrics={metrics} params={params} height={height} state={state} onChange={onChange} />}
        {state.tab === 'compare' && <CompareTab runs={runs} hues={hues} state={state} onChange={onChange} />}
      </div>
    </section>
  );
}
