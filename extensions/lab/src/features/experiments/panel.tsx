import { useCallback, useEffect, useState } from 'react';

import type { SavedView } from '../../api/model';
import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, EmptyState, ErrorBox, Panel, Resizable, Skeleton } from '../../ui';
import { actOf } from './commands';
import { ExperimentTree } from './experimenttree';
import { RunTable } from './runtable';
import { IArrangement, IRunView, START, arrangementOf, fromLink } from './view';

const GUIDE = 'import mlflow\n\nmlflow.set_experiment("rain-tomorrow")\nmlflow.search_runs(filter_string="metrics.auc > 0.7", order_by=["metrics.auc DESC"])';

export function ExperimentsPanel({ item }: { item: string }): JSX.Element {
  const studio = useStudio();
  const { trans, session } = studio;
  const { data, error, refresh } = useResource('experiments', client => client.experiments.list(), { topics: ['runs', 'experiments'] });
  const views = useResource('run-views', client => client.runs.views(), { topics: ['experiments'] });
  const [view, setView] = useView(item, views.data, views.error !== undefined);
  const act = actOf(item);
  const mayWrite = session?.role !== 'viewer';
  const onView = useCallback((change: Partial<IRunView>) => setView(before => before && { ...before, ...change }), [setView]);
  const onApply = useCallback((arrangement: IArrangement, name: string) => onView({ ...arrangement, name }), [onView]);
  const total = (data ?? []).reduce((sum, experiment) => sum + experiment.runs, 0);
  // Whoever has no run at all is told how to begin; a table that was asked for by a link is shown.
  const isNew = data !== undefined && total === 0 && data.length < 2 && !view?.deleted && !view?.filter;
  return (
    <Panel name="experiments" title={trans.__('Experiments')} icon="experiments" code={codeOf(view)} bare={!isNew} actions={null}>
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {isNew && (
        <EmptyState
          icon="experiments"
          testId={TEST.empty('experiments')}
          title={trans.__('No runs yet')}
          text={trans.__('Train in a notebook or a job with the ordinary mlflow client; every run appears here while it trains. Nothing is to be set up.')}
          action={
            <Button kind="primary" icon="home" onClick={() => studio.open('home')}>
              {trans.__('Run the example')}
            </Button>
          }
          code={'import mlflow\n\nmlflow.sklearn.autolog()\nmodel.fit(X_train, y_train)'}
        />
      )}
      {!isNew && !view && <Skeleton rows={12} />}
      {!isNew && view && (
        <Resizable name="experiments" label={trans.__('Width of the list of experiments')} size={208} least={120} side="left" part={<ExperimentTree experiments={data ?? []} chosen={view.experiment} mayWrite={mayWrite} asksNew={act === 'new'} onChoose={experiment => onView({ experiment })} />}>
          <RunTable view={view} onView={onView} onApply={onApply} experiments={data} views={views.data ?? []} mayWrite={mayWrite} act={act} />
        </Resizable>
      )}
    </Panel>
  );
}

/** What is shown: what a link or command asks for, else what was shown last here, else the domain's first view. */
function useView(item: string, views: SavedView[] | undefined, hasFailed: boolean): [IRunView | null, (change: (before: IRunView | null) => IRunView | null) => void] {
  const { session } = useStudio();
  const key = `jupyterlab-studio:experiments:${session?.domain ?? ''}`;
  const [view, setView] = useState<IRunView | null>(() => {
    const asked = fromLink(item);
    const kept = keptView(key);
    // A link says all that is not as at the start; a command and an experiment's name leave the rest as it was.
    const isPart = !item.includes('=') || actOf(item) !== null;
    if (item && !asked.name) {
      return { ...START, ...(isPart ? kept : {}), ...asked };
    }
    return item ? null : kept;
  });
  const isReady = views !== undefined || hasFailed;
  if (!view && isReady) {
    const asked = fromLink(item);
    const first = views?.find(({ name, is_default }) => (asked.name ? name === asked.name : is_default));
    setView({ ...START, ...(first ? { ...arrangementOf(first.state), name: first.name } : {}), ...asked });
  }
  useEffect(() => {
    if (view) {
      sessionStorage.setItem(key, JSON.stringify(view));
    }
  }, [key, view]);
  return [view, setView];
}

/** What was shown last in this window. */
function keptView(key: string): IRunView | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Partial<IRunView> | null;
    return kept && { ...START, ...arrangementOf(kept), experiment: String(kept.experiment ?? ''), name: String(kept.name ?? '') };
  } catch {
    return null;
  }
}

function codeOf(view: IRunView | null): string {
  if (!view || (!view.filter && !view.sort.length)) {
    return GUIDE;
  }
  const order = view.sort.map(({ column, descending }) => JSON.stringify(`${column.replace(/#.*/, '')} ${descending ? 'DESC' : 'ASC'}`));
  const given = [view.experiment && !view.experiment.endsWith('/') ? `experiment_ids=["${view.experiment}"]` : 'search_all_experiments=True', view.filter && `filter_string=${JSON.stringify(view.filter)}`, order.length && `order_by=[${order.join(', ')}]`];
  return `import mlflow\n\nmlflow.search_runs(${given.filter(Boolean).join(', ')})`;
}
