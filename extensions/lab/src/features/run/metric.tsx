import { useResource, useStudio } from '../../hooks';
import { LineChart } from '../../ui';

/** One metric of one run, by step. */
export function RunMetric({ runId, metric }: { runId: string; metric: string }): JSX.Element {
  const { trans } = useStudio();
  const { data } = useResource(`metric/${runId}/${metric}`, client => client.experiments.metric(runId, metric), { topics: ['runs'], id: runId });
  const points = (data?.points ?? []).map(([step, , value]): [number, number] => [step, value ?? NaN]);
  return (
    <figure className="jp-Studio-figure">
      <figcaption>
        <span>{metric}</span>
        <span className="jp-Studio-hint">{trans.__('by step')}</span>
      </figcaption>
      <LineChart series={[{ name: metric, points }]} height={200} whole pending={!data} label={trans.__('%1 by step', metric)} />
    </figure>
  );
}
