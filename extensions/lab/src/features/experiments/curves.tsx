import { useState } from 'react';

import type { Run } from '../../api/model';
import { formatMetric } from '../../format';
import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ISeries, Legend, LineChart, Select, hue } from '../../ui';
import { defaultKeys, isLive } from './columns';

interface ICurvesProps {
  runs: Run[];
  metrics: string[];
  isChosen: boolean;
  onClear?: () => void;
}

/** Metrics over steps for the chosen runs; they move while a run is training. */
export function Curves({ runs, metrics, isChosen, onClear }: ICurvesProps): JSX.Element {
  const { trans } = useStudio();
  const stepped = metrics.filter(key => runs.some(run => (run.metrics[key]?.step ?? 0) > 0));
  const [chosen, setChosen] = useState<string[]>([]);
  const keys = chosen.filter(key => stepped.includes(key)).length ? chosen.filter(key => stepped.includes(key)) : defaultKeys(stepped, 2);
  const live = runs.filter(isLive).length;
  const legend: ISeries[] = runs.map((run, i) => ({ name: run.name, points: [], hue: i }));
  return (
    <div className="jp-Studio-curves" data-testid={TEST.runCurves}>
      <div className="jp-Studio-curvesHead">
        <h3>{isChosen ? trans._n('%1 selected run', '%1 selected runs', runs.length) : trans._n('%1 run is training', '%1 runs are training', live)}</h3>
        <Legend series={legend} />
        {stepped.length > 2 && (
          <Select label={trans.__('Metric')} value={keys[0] ?? ''} options={stepped} onChange={key => setChosen([key, ...keys.filter(k => k !== key)].slice(0, 2))} />
        )}
        {onClear && <Button kind="quiet" icon="close" title={trans.__('Clear the selection')} onClick={onClear} />}
      </div>
      {stepped.length === 0 ? (
        <p className="jp-Studio-hint">{trans.__('These runs logged single values only; Compare shows them side by side.')}</p>
      ) : (
        <div className="jp-Studio-curvesGrid">
          {keys.map(key => (
            <Curve key={key} metric={key} runs={runs.filter(run => run.metrics[key])} all={runs} />
          ))}
        </div>
      )}
    </div>
  );
}

function Curve({ metric, runs, all }: { metric: string; runs: Run[]; all: Run[] }): JSX.Element {
  const { trans } = useStudio();
  const ids = runs.map(run => run.run_id).join();
  const { data } = useResource(
    ids ? `curve/${metric}/${ids}` : null,
    client => Promise.all(runs.map(async run => ({ id: run.run_id, ...(await client.experiments.metric(run.run_id, metric)) }))),
    { topics: ['runs'], keep: true }
  );
  const series: ISeries[] = (data ?? []).map(history => {
    const index = all.findIndex(run => run.run_id === history.id);
    return {
      name: all[index]?.name ?? history.id,
      hue: Math.max(0, index),
      points: history.points.map(([step, , value]): [number, number] => [step, value ?? NaN])
    };
  });
  return (
    <figure>
      <figcaption>
        <span>{metric}</span>
        {runs.length === 1 && <b style={{ color: hue(0) }}>{formatMetric(runs[0]?.metrics[metric]?.last)}</b>}
        <span className="jp-Studio-hint">{trans.__('by step')}</span>
      </figcaption>
      <LineChart series={series} height={168} whole pending={!data} legend={false} label={trans.__('%1 by step', metric)} />
    </figure>
  );
}
