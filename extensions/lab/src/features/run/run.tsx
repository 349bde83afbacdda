import { useState } from 'react';

import type { RunDetail } from '../../api/model';
import { formatDuration, formatExact, formatMetric } from '../../format';
import { useNow, useResource, useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { Ago, Button, ErrorBox, Fade, Id, KeyValue, Link, Panel, Section, Skeleton, Sparkline, StatusPill, Tabs, Tag } from '../../ui';
import { DeployDialog } from '../endpoints/deploy';
import { IRegistered, RegisterDialog } from '../models/register';
import { Artifacts } from './artifacts';
import { isLive } from '../experiments/columns';
import { EvaluationView } from './evaluation';
import { RunMetric } from './metric';

type View = 'overview' | 'evaluation' | 'artifacts' | 'tags';

export function RunPanel({ item }: { item: string }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { data: run, error, refresh } = useResource(`run/${item}`, client => client.experiments.run(item), { topics: ['runs', 'models'] });
  const [view, setView] = useState<View>('overview');
  const [dialog, setDialog] = useState<'register' | 'deploy' | null>(null);
  const [registered, setRegistered] = useState<IRegistered | null>(null);
  const now = useNow(run && isLive(run) ? 1000 : 30000);
  const version = registered ?? registeredOf(run);
  const canServe = !!run && run.models.length > 0;

  const actions = run && (
    <>
      <Button disabled={!canServe} title={canServe ? undefined : trans.__('This run logged no model')} testId={TEST.runRegister} onClick={() => setDialog('register')}>
        {trans.__('Register')}
      </Button>
      <Button kind="primary" icon="endpoints" disabled={!canServe} title={canServe ? undefined : trans.__('This run logged no model')} testId={TEST.runDeploy} onClick={() => setDialog(version ? 'deploy' : 'register')}>
        {trans.__('Deploy')}
      </Button>
    </>
  );
  const subtitle = run && (
    <>
      <Id id={run.run_id} />
      <span>{run.user}</span>
      <Ago at={run.start_ms} />
      <span>{formatDuration((run.end_ms ?? now) - run.start_ms)}</span>
      {run.job_id && <Link onClick={() => studio.open('jobs', run.job_id ?? '')}>{trans.__('Job %1', run.job_id)}</Link>}
      {version && (
        <Link onClick={() => studio.open('models', version.name)}>{`${version.name} v${version.version}`}</Link>
      )}
    </>
  );
  return (
    <Panel
      name="run"
      icon="run"
      title={
        <>
          <Link onClick={() => studio.open('experiments', run?.experiment_id ?? '')}>{trans.__('Experiments')}</Link>
          <Icon name="chevron" size={12} />
          <span>{run?.name ?? ''}</span>
        </>
      }
      aside={run && <StatusPill state={run.status} testId={TEST.state('run')} />}
      subtitle={subtitle}
      actions={actions}
      code={`import mlflow\n\nrun = mlflow.get_run("${item}")\nmodel = mlflow.pyfunc.load_model("runs:/${item}/${run?.models[0]?.artifact_path ?? 'model'}")`}
    >
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!run && !error && <Skeleton rows={8} />}
      {run && (
        <>
          <Tabs
            tabs={[
              ['overview', trans.__('Overview')],
              ['evaluation', trans.__('Evaluation')],
              ['artifacts', trans.__('Artifacts')],
              ['tags', trans.__('Tags')]
            ]}
            active={view}
            onSelect={setView}
            testId={TEST.runTab}
          />
          {view === 'overview' && <Overview run={run} />}
          {view === 'evaluation' && <EvaluationView runId={item} />}
          {view === 'artifacts' && <Artifacts runId={item} />}
          {view === 'tags' && <Tags run={run} />}
        </>
      )}
      {dialog === 'register' && run && (
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
    </Panel>
  );
}

function registeredOf(run: RunDetail | undefined): IRegistered | null {
  for (const { registered, version } of run?.models ?? []) {
    if (registered && version) {
      return { name: registered, version };
    }
  }
  return null;
}

function Overview({ run }: { run: RunDetail }): JSX.Element {
  const { trans } = useStudio();
  const [open, setOpen] = useState<string | null>(null);
  const metrics = Object.entries(run.metrics).sort(([a], [b]) => a.localeCompare(b));
  const params = Object.entries(run.params).sort(([a], [b]) => a.localeCompare(b));
  const live = isLive(run);
  const stepped = metrics.filter(([, m]) => m.step > 0).map(([key]) => key);
  const charted = open ?? stepped[0];
  return (
    <div className="jp-Studio-columns2">
      <Section title={trans.__('Metrics')}>
        {metrics.length === 0 && <p className="jp-Studio-hint">{live ? trans.__('Waiting for the first value.') : trans.__('No metric was logged.')}</p>}
        <div className="jp-Studio-metricList">
          {metrics.map(([key, metric]) => (
            <button key={key} type="button" className={key === charted ? 'jp-mod-active' : undefined} disabled={metric.step === 0} onClick={() => setOpen(key)} title={key}>
              <span>{key}</span>
              {metric.step > 0 ? <RunSpark runId={run.run_id} metric={key} /> : <span />}
              <b>
                <Fade>{formatMetric(metric.last)}</Fade>
              </b>
            </button>
          ))}
        </div>
        {charted && <RunMetric runId={run.run_id} metric={charted} />}
      </Section>
      <div>
        <Section title={trans.__('Parameters')}>
          {params.length === 0 && <p className="jp-Studio-hint">{trans.__('No parameter was logged.')}</p>}
          <KeyValue items={params.map(([key, value]) => [key, <span title={value}>{value}</span>])} />
        </Section>
        <Section title={trans.__('Data')}>
          {run.datasets.length === 0 && <p className="jp-Studio-hint">{trans.__('No data set was logged; mlflow.log_input names what was used.')}</p>}
          {run.datasets.map(set => (
            <div key={`${set.name}${set.digest ?? ''}`} className="jp-Studio-inline">
              <Icon name="data" size={14} /> {set.name} {set.context && <Tag>{set.context}</Tag>} {set.digest && <Id id={set.digest} />}
            </div>
          ))}
        </Section>
      </div>
    </div>
  );
}

function RunSpark({ runId, metric }: { runId: string; metric: string }): JSX.Element {
  const { data } = useResource(`metric/${runId}/${metric}/40`, client => client.experiments.metric(runId, metric, 40), { topics: ['runs'], keep: true, id: runId });
  return <Sparkline values={(data?.points ?? []).map(point => point[2] ?? NaN).filter(Number.isFinite)} />;
}

function Tags({ run }: { run: RunDetail }): JSX.Element {
  const { trans } = useStudio();
  const tags = Object.entries(run.tags).filter(([key]) => !key.startsWith('mlflow.log-model'));
  return (
    <Section title={trans.__('Tags')}>
      <KeyValue
        items={[
          [trans.__('Started'), formatExact(run.start_ms)],
          [trans.__('Ended'), run.end_ms ? formatExact(run.end_ms) : '–'],
          ...tags.map(([key, value]): [string, JSX.Element] => [key, <span title={value}>{value.length > 200 ? `${value.slice(0, 200)}…` : value}</span>])
        ]}
      />
    </Section>
  );
}
