import { ReactNode, useState } from 'react';

import type { RunDetail } from '../../api/model';
import { formatExact, formatMetric, formatNumber } from '../../format';
import { useResource, useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { DataTable, Fade, IColumn, Id, KeyValue, Link, Section, Sparkline, Tag, TextInput } from '../../ui';
import { isLive } from '../experiments/columns';
import { RunMetric } from './metric';
import { groupTags, shortKey } from './tags';

type Metrics = RunDetail['metrics'];
type MetricRow = Metrics[string] & { key: string };

const SYSTEM = 'system/';
const SEARCHABLE = 8; // lists longer than this have a filter

/** What a run measured, with what it was given, and where it came from. */
export function Overview({ run }: { run: RunDetail }): JSX.Element {
  const { trans } = useStudio();
  const all = Object.entries(run.metrics)
    .map(([key, metric]): MetricRow => ({ ...metric, key }))
    .sort((a, b) => a.key.localeCompare(b.key));
  const metrics = all.filter(metric => !metric.key.startsWith(SYSTEM));
  const system = all.filter(metric => metric.key.startsWith(SYSTEM));
  return (
    <div className="jp-Studio-runOverview">
      <div>
        <MetricSection run={run} metrics={metrics} title={trans.__('Metrics')} empty={isLive(run) ? trans.__('Waiting for the first value.') : trans.__('No metric was logged.')} />
        {system.length > 0 && <MetricSection run={run} metrics={system} title={trans.__('System metrics')} empty="" />}
      </div>
      <div>
        <Params params={run.params} />
        <DataSets run={run} />
        <Environment run={run} />
        <Origin run={run} />
      </div>
    </div>
  );
}

function MetricSection({ run, metrics, title, empty }: { run: RunDetail; metrics: MetricRow[]; title: string; empty: string }): JSX.Element {
  const { trans } = useStudio();
  const [filter, setFilter] = useState('');
  const [open, setOpen] = useState<string | null>(null);
  const shown = metrics.filter(metric => metric.key.toLowerCase().includes(filter.toLowerCase()));
  const charted = open ?? shown.find(metric => metric.step > 0)?.key;
  const figure = (value: number | null): ReactNode => <span title={value === null ? trans.__('not a finite number') : String(value)}>{formatMetric(value)}</span>;
  const isCurve = (metric: MetricRow): boolean => metric.step > 0 || metric.min !== metric.max;
  const columns: IColumn<MetricRow>[] = [
    {
      key: 'key',
      label: trans.__('Metric'),
      width: 130,
      grow: 3,
      cell: metric => (
        <span title={metric.key} data-testid={TEST.runMetric(metric.key)}>
          {metric.key}
        </span>
      )
    },
    { key: 'curve', label: '', width: 84, grow: 0, cell: metric => (isCurve(metric) ? <RunSpark runId={run.run_id} metric={metric.key} /> : null) },
    { key: 'last', label: trans.__('Last'), width: 76, align: 'right', cell: metric => <b title={String(metric.last)}><Fade>{formatMetric(metric.last)}</Fade></b> },
    { key: 'min', label: trans.__('Min'), width: 76, align: 'right', cell: metric => (isCurve(metric) ? figure(metric.min) : '') },
    { key: 'max', label: trans.__('Max'), width: 76, align: 'right', cell: metric => (isCurve(metric) ? figure(metric.max) : '') },
    { key: 'step', label: trans.__('Step'), width: 60, align: 'right', cell: metric => (metric.step > 0 ? formatNumber(metric.step) : '') }
  ];
  return (
    <Section title={title} aside={metrics.length > SEARCHABLE && <Filter value={filter} onChange={setFilter} label={trans.__('Find a metric')} />}>
      {metrics.length === 0 ? (
        <p className="jp-Studio-hint">{empty}</p>
      ) : (
        <DataTable name={`metrics-${title}`} label={title} columns={columns} rows={shown} rowKey={metric => metric.key} active={charted} onOpen={metric => setOpen(metric.key)} fit={14} />
      )}
      {charted && <RunMetric runId={run.run_id} metric={charted} />}
    </Section>
  );
}

function RunSpark({ runId, metric }: { runId: string; metric: string }): JSX.Element {
  const { data } = useResource(`metric/${runId}/${metric}/40`, client => client.experiments.metric(runId, metric, 40), { topics: ['runs'], keep: true, id: runId });
  return <Sparkline values={(data?.points ?? []).map(point => point[2] ?? NaN).filter(Number.isFinite)} />;
}

function Filter({ value, onChange, label }: { value: string; onChange: (value: string) => void; label: string }): JSX.Element {
  return (
    <span className="jp-Studio-smallFilter" data-filter>
      <TextInput value={value} onChange={onChange} placeholder={label} label={label} />
    </span>
  );
}

function Params({ params }: { params: Record<string, string> }): JSX.Element {
  const { trans } = useStudio();
  const [filter, setFilter] = useState('');
  const all = Object.entries(params).sort(([a], [b]) => a.localeCompare(b));
  const wanted = filter.toLowerCase();
  const shown = all.filter(([key, value]) => key.toLowerCase().includes(wanted) || value.toLowerCase().includes(wanted));
  const columns: IColumn<[string, string]>[] = [
    { key: 'key', label: trans.__('Parameter'), width: 120, grow: 1, cell: ([key]) => <span title={key}>{key}</span> },
    {
      key: 'value',
      label: trans.__('Value'),
      width: 120,
      grow: 1,
      cell: ([key, value]) => (
        <span title={value} data-testid={TEST.runParam(key)}>
          {value || '–'}
        </span>
      )
    }
  ];
  return (
    <Section title={trans.__('Parameters')} aside={all.length > SEARCHABLE && <Filter value={filter} onChange={setFilter} label={trans.__('Find a parameter')} />}>
      {all.length === 0 ? (
        <p className="jp-Studio-hint">{trans.__('No parameter was logged.')}</p>
      ) : (
        <DataTable name="params" label={trans.__('Parameters')} columns={columns} rows={shown} rowKey={([key]) => key} fit={18} />
      )}
      {all.length > 0 && shown.length === 0 && <p className="jp-Studio-hint">{trans.__('No parameter has “%1” in its name or value.', filter)}</p>}
    </Section>
  );
}

function DataSets({ run }: { run: RunDetail }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  return (
    <Section title={trans.__('Data sets')}>
      {run.datasets.length === 0 && <p className="jp-Studio-hint">{trans.__('None was logged; mlflow.log_input names what was used.')}</p>}
      {run.datasets.map(set => (
        <div key={`${set.name}${set.digest}${set.context}`} className="jp-Studio-inline">
          <Icon name="data" size={14} />
          <Link onClick={() => studio.open('data', set.name)}>{set.name}</Link>
          {set.context && <Tag>{set.context}</Tag>}
          {set.digest && <Id id={set.digest} />}
        </div>
      ))}
    </Section>
  );
}

/** What the run was made of; nothing of one from outside. */
function Environment({ run }: { run: RunDetail }): JSX.Element | null {
  const studio = useStudio();
  const { trans } = studio;
  const name = run.tags['studio.environment'];
  const hash = run.tags['studio.environment_hash'];
  if (!name) {
    return null;
  }
  return (
    <Section title={trans.__('Environment')}>
      <div className="jp-Studio-inline" data-testid={TEST.runEnvironment}>
        <Icon name="environments" size={14} />
        <Link onClick={() => studio.open('environments', name)}>{name}</Link>
        {hash && <Id id={hash} />}
      </div>
    </Section>
  );
}

/** Where the run came from: folded, since it is looked up rather than read. */
function Origin({ run }: { run: RunDetail }): JSX.Element {
  const { trans } = useStudio();
  const groups = groupTags(run.tags);
  const texts = (pairs: [string, string][]): [string, ReactNode][] =>
    pairs.map(([key, value]) => [shortKey(key), <span key={key} title={value}>{value.length > 300 ? `${value.slice(0, 300)}…` : value}</span>]);
  const times: [string, ReactNode][] = [
    [trans.__('Started'), formatExact(run.start_ms)],
    [trans.__('Ended'), run.end_ms ? formatExact(run.end_ms) : '–'],
    [trans.__('Files lie in'), <code key="uri" title={run.artifact_uri}>{run.artifact_uri}</code>]
  ];
  return (
    <div className="jp-Studio-folds">
      <Fold title={trans.__('Source')} items={[...times, ...texts(groups.source)]} />
      {groups.git.length > 0 && <Fold title={trans.__('Git')} items={texts(groups.git)} />}
      {groups.system.length > 0 && <Fold title={trans.__('System tags')} items={texts(groups.system)} />}
    </div>
  );
}

function Fold({ title, items }: { title: string; items: [string, ReactNode][] }): JSX.Element {
  return (
    <details>
      <summary>
        {title} <span className="jp-Studio-count">{items.length}</span>
      </summary>
      <KeyValue items={items} />
    </details>
  );
}
