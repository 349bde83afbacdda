import { useEffect, useMemo, useState } from 'react';

import type { Experiment, Run } from '../../api/model';
import { formatCount } from '../../format';
import { useNow, useResource, useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { Ago, Button, ChoiceList, DataTable, EmptyState, ErrorBox, ISort, Panel, Skeleton, Split } from '../../ui';
import { orderBy, runColumns } from './cells';
import { defaultKeys, isLive, keysOf } from './columns';
import { Curves } from './curves';
import { ColumnChooser } from './chooser';

const ALL = '*';
const PAGE = 200;

export function ExperimentsPanel({ item }: { item: string }): JSX.Element {
  const { trans } = useStudio();
  const { data, error, refresh } = useResource('experiments', client => client.experiments.list(), { topics: ['runs', 'experiments'] });
  const [chosen, setChosen] = useState(item || ALL);
  const guideCode = 'import mlflow\n\nmlflow.set_experiment("rain-tomorrow")\nmlflow.search_runs(filter_string="metrics.auc > 0.7", order_by=["metrics.auc DESC"])';
  const total = (data ?? []).reduce((sum, experiment) => sum + experiment.runs, 0);
  return (
    <Panel name="experiments" title={trans.__('Experiments')} icon="experiments" code={guideCode} bare={total > 0} actions={null}>
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton rows={8} />}
      {data && total === 0 && (
        <EmptyState
          icon="experiments"
          testId={TEST.empty('experiments')}
          title={trans.__('No runs yet')}
          text={trans.__('Train in a notebook or a job with the ordinary mlflow client; every run appears here while it trains. Nothing is to be set up.')}
          action={<NewRunButton />}
          code={'import mlflow\n\nmlflow.sklearn.autolog()\nmodel.fit(X_train, y_train)'}
        />
      )}
      {data && total > 0 && (
        <Split width={208} list={<ExperimentList experiments={data} total={total} active={chosen} onChoose={setChosen} />}>
          <RunTable key={chosen} experiment={chosen} />
        </Split>
      )}
    </Panel>
  );
}

function NewRunButton(): JSX.Element {
  const studio = useStudio();
  return (
    <Button kind="primary" icon="home" onClick={() => studio.open('home')}>
      {studio.trans.__('Run the example')}
    </Button>
  );
}

function ExperimentList({ experiments, total, active, onChoose }: { experiments: Experiment[]; total: number; active: string; onChoose: (id: string) => void }): JSX.Element {
  const { trans } = useStudio();
  const items = experiments.map(experiment => ({
    key: experiment.experiment_id,
    title: <span title={experiment.name}>{experiment.name}</span>,
    detail: <Ago at={experiment.last_update_ms} />,
    trail: <span className="jp-Studio-count">{formatCount(experiment.runs)}</span>,
    testId: TEST.experiment(experiment.experiment_id)
  }));
  const all = { key: ALL, title: trans.__('All experiments'), detail: undefined, trail: <span className="jp-Studio-count">{formatCount(total)}</span>, testId: TEST.experiment('all') };
  return <ChoiceList label={trans.__('Experiments')} items={[all, ...items]} active={active} onChoose={onChoose} />;
}

function RunTable({ experiment }: { experiment: string }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const [typed, setTyped] = useState('');
  const [filter, setFilter] = useState('');
  const [sort, setSort] = useState<ISort>({ key: 'created', descending: true });
  const [pages, setPages] = useState(1);
  const [selected, setSelected] = useState<Set<string>>(new Set());
  const [choice, setChoice] = useState<{ metrics?: string[]; params?: string[] }>({});

  useEffect(() => {
    const timer = window.setTimeout(() => setFilter(typed.trim()), 300);
    return () => window.clearTimeout(timer);
  }, [typed]);

  const { data, error } = useResource(
    `runs/${experiment}/${filter}/${orderBy(sort).join()}/${pages}`,
    client =>
      client.experiments.search({
        ...(experiment === ALL ? {} : { experiment_ids: [experiment] }),
        filter,
        order_by: orderBy(sort),
        max_results: PAGE * pages
      }),
    { topics: ['runs'], keep: true }
  );
  const runs = useMemo(() => data?.runs ?? [], [data]);
  const now = useNow(runs.some(isLive) ? 1000 : 10000);
  const metricKeys = useMemo(() => keysOf(runs, 'metrics'), [runs]);
  const paramKeys = useMemo(() => keysOf(runs, 'params'), [runs]);
  const shown = {
    metrics: choice.metrics ?? defaultKeys(metricKeys, 3),
    params: choice.params ?? defaultKeys(paramKeys, 2)
  };
  const picked = useMemo(() => pick(runs, selected), [runs, selected]);
  const hues = new Map(picked.map((run, i) => [run.run_id, i]));
  const columns = runColumns(trans, shown, now, hues);

  return (
    <div className="jp-Studio-runs">
      <div className="jp-Studio-filterBar">
        <label className={`jp-Studio-filter${error ? ' jp-mod-invalid' : ''}`} data-filter="">
          <Icon name="search" size={14} />
          <input
            value={typed}
            spellCheck={false}
            placeholder={trans.__("Filter: metrics.auc > 0.7 and params.model = 'forest'")}
            aria-label={trans.__('Filter runs')}
            data-testid={TEST.runFilter}
            onChange={event => setTyped(event.target.value)}
            onKeyDown={event => event.key === 'Escape' && setTyped('')}
          />
          {data && (
            <span className="jp-Studio-hint" data-testid={TEST.runTotal}>
              {data.total > runs.length ? trans.__('%1 of %2', formatCount(runs.length), formatCount(data.total)) : trans._n('%2 run', '%2 runs', data.total, formatCount(data.total))}
            </span>
          )}
        </label>
        <ColumnChooser metrics={metricKeys} params={paramKeys} chosen={shown} onChange={setChoice} />
        <Button icon="dashboard" disabled={selected.size < 2} testId={TEST.compareRuns} title={trans.__('Select two or more runs to compare')} onClick={() => studio.open('dashboard', `compare?runs=${[...selected].join(',')}`)}>
          {trans.__('Compare')}
        </Button>
      </div>
      {error && (
        <div className="jp-Studio-filterError" role="alert" data-testid={TEST.runFilterError}>
          {error.message} {error.hint}
        </div>
      )}
      {!data && !error && <Skeleton rows={8} />}
      {data && (
        <DataTable
          name="runs"
          label={trans.__('Runs')}
          columns={columns}
          rows={runs}
          rowKey={run => run.run_id}
          onOpen={run => studio.open('run', run.run_id)}
          selected={selected}
          onSelect={setSelected}
          sort={sort}
          onSort={setSort}
        />
      )}
      {data && data.total > runs.length && (
        <div className="jp-Studio-more">
          <Button kind="quiet" onClick={() => setPages(pages + 1)}>
            {trans.__('Show %1 more', formatCount(Math.min(PAGE, data.total - runs.length)))}
          </Button>
        </div>
      )}
      {picked.length > 0 && <Curves runs={picked} metrics={metricKeys} isChosen={selected.size > 0} onClear={selected.size > 0 ? () => setSelected(new Set()) : undefined} />}
    </div>
  );
}

/** The runs whose curves are shown: the selected ones, else those that train right now. */
function pick(runs: Run[], selected: ReadonlySet<string>): Run[] {
  const chosen = selected.size ? runs.filter(run => selected.has(run.run_id)) : runs.filter(isLive);
  return chosen.slice(0, 12);
}
