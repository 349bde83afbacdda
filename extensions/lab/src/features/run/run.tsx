import { useState } from 'react';

import type { RunDetail } from '../../api/model';
import { formatDuration } from '../../format';
import { useAction, useNow, useResource, useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { Ago, Button, ErrorBox, Id, Link, Panel, Skeleton, StatusPill, Tabs } from '../../ui';
import { DeployDialog } from '../endpoints/deploy';
import { isLive } from '../experiments/columns';
import { LineageGraph } from '../lineage/graph';
import { IRegistered, RegisterDialog } from '../models/register';
import { EvaluationView } from './evaluation';
import { Files } from './files';
import { RunMoney, RunName } from './header';
import { Logs } from './logs';
import { Notes } from './notes';
import { Overview } from './overview';
import { NOTE } from './tags';

type View = 'overview' | 'evaluation' | 'artifacts' | 'logs' | 'lineage' | 'tags';

/** One run: what it was given, what it measured and made, and what became of it. */
export function RunPanel({ item }: { item: string }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { data: run, error, refresh } = useResource(`run/${item}`, client => client.experiments.run(item), { topics: ['runs', 'models'] });
  const [view, setView] = useState<View>('overview');
  return (
    <Panel
      name="run"
      icon="run"
      title={
        <>
          <Link onClick={() => studio.open('experiments', run?.experiment_id ?? '')}>{trans.__('Experiments')}</Link>
          <Icon name="chevron" size={12} />
          {run && <RunName run={run} refresh={refresh} />}
        </>
      }
      aside={run && <StatusPill state={run.status} testId={TEST.state('run')} />}
      subtitle={run && <Subtitle run={run} />}
      actions={run && run.stage === 'active' && <Actions run={run} refresh={refresh} />}
      code={`import mlflow\n\nrun = mlflow.get_run("${item}")\nmodel = mlflow.pyfunc.load_model("runs:/${item}/${run?.models[0]?.artifact_path ?? 'model'}")`}
    >
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!run && !error && <Skeleton rows={8} />}
      {run && run.stage !== 'active' && <Deleted run={run} refresh={refresh} />}
      {run && (
        <>
          <Tabs
            tabs={[
              ['overview', trans.__('Overview')],
              ['evaluation', trans.__('Evaluation')],
              ['artifacts', trans.__('Artifacts')],
              ['logs', trans.__('Logs')],
              ['lineage', trans.__('Lineage')],
              ['tags', run.tags[NOTE] ? trans.__('Note & tags') : trans.__('Tags & note')]
            ]}
            active={view}
            onSelect={setView}
            testId={TEST.runTab}
          />
          {view === 'overview' && <Overview run={run} />}
          {view === 'evaluation' && <EvaluationView runId={item} />}
          {view === 'artifacts' && <Files run={run} />}
          {view === 'logs' && <Logs run={run} />}
          {view === 'lineage' && <LineageGraph of={{ kind: 'run', name: item }} />}
          {view === 'tags' && <Notes run={run} refresh={refresh} />}
        </>
      )}
    </Panel>
  );
}

function Subtitle({ run }: { run: RunDetail }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const now = useNow(isLive(run) ? 1000 : 30000);
  const version = registeredOf(run);
  return (
    <>
      <Id id={run.run_id} />
      <span title={trans.__('Who ran it')}>{run.user}</span>
      <Ago at={run.start_ms} />
      <span title={trans.__('How long it took')}>{formatDuration((run.end_ms ?? now) - run.start_ms)}</span>
      <RunMoney run={run} />
      {run.job_id && <Link onClick={() => studio.open('jobs', run.job_id ?? '')}>{run.tags['studio.job_name'] ? trans.__('Job %1', run.tags['studio.job_name']) : trans.__('Its job')}</Link>}
      {version && <Link onClick={() => studio.open('models', `${version.name}/${version.version}`)}>{`${version.name} v${version.version}`}</Link>}
    </>
  );
}

/** A deleted run can be looked at; one click brings it back. */
function Deleted({ run, refresh }: { run: RunDetail; refresh: () => Promise<void> }): JSX.Element {
  const { trans, client } = useStudio();
  const restore = useAction(async () => {
    await client.run.change(run.run_id, { deleted: false });
    await refresh();
  });
  return (
    <div className="jp-Studio-banner">
      <Icon name="trash" size={14} />
      <span>{trans.__('This run is deleted. Its files and figures are there still.')}</span>
      <Button icon="undo" disabled={restore.busy} onClick={() => void restore.run()}>
        {trans.__('Restore')}
      </Button>
    </div>
  );
}

function Actions({ run, refresh }: { run: RunDetail; refresh: () => Promise<void> }): JSX.Element {
  const { trans } = useStudio();
  const [dialog, setDialog] = useState<'register' | 'deploy' | null>(null);
  const [registered, setRegistered] = useState<IRegistered | null>(null);
  const version = registered ?? registeredOf(run);
  const canServe = run.models.length > 0;
  const hint = canServe ? undefined : trans.__('This run logged no model');
  return (
    <>
      <Button disabled={!canServe} title={hint} testId={TEST.runRegister} onClick={() => setDialog('register')}>
        {trans.__('Register')}
      </Button>
      <Button kind="primary" icon="endpoints" disabled={!canServe} title={hint} testId={TEST.runDeploy} onClick={() => setDialog(version ? 'deploy' : 'register')}>
        {trans.__('Deploy')}
      </Button>
      {dialog === 'register' && (
        <RegisterDialog
          run={run}
          onClose={() => setDialog(null)}
          onDone={(made, deploys) => {
            setRegistered(made);
            setDialog(deploys ? 'deploy' : null);
            void refresh();
          }}
        />
      )}
      {dialog === 'deploy' && version && <DeployDialog model={version.name} version={String(version.version)} onClose={() => setDialog(null)} />}
    </>
  );
}

function registeredOf(run: RunDetail): IRegistered | null {
  for (const { registered, version } of run.models) {
    if (registered && version) {
      return { name: registered, version };
    }
  }
  return null;
}
