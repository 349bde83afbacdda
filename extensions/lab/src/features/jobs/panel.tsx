import { useState } from 'react';

import type { Job } from '../../api/model';
import { formatDuration } from '../../format';
import { useMoney, useNow, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, ChoiceList, ConfirmDialog, EmptyState, ErrorBox, Id, Link, LogView, Panel, Skeleton, Split, StatusPill, Tag } from '../../ui';

export function JobsPanel({ item }: { item: string }): JSX.Element {
  const { trans } = useStudio();
  const { data, error, refresh } = useResource('jobs', client => client.jobs.list(), { topics: ['jobs'] });
  const [chosen, setChosen] = useState(item);
  const jobs = [...(data ?? [])].sort((a, b) => b.created_ms - a.created_ms);
  const active = jobs.find(job => job.id === chosen) ?? jobs[0];
  const params = Object.entries(active?.params ?? {})
    .map(([key, value]) => ` -p ${key}=${String(value)}`)
    .join('');
  return (
    <Panel name="jobs" title={trans.__('Jobs')} icon="jobs" bare={jobs.length > 0} code={active && `studio run ${active.script_name ?? 'train.py'}${params}`}>
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton />}
      {data && jobs.length === 0 && (
        <EmptyState
          icon="jobs"
          testId={TEST.empty('jobs')}
          title={trans.__('No jobs yet')}
          text={trans.__('A job runs a script to its end away from your notebook: it goes on when the browser is closed, keeps its log and links its runs.')}
          code={'studio run train.py -p depth=6\n\n# or from a notebook\nfrom studio.guest import sdk\nsdk.run_job("train.py", params={"depth": 6})'}
        />
      )}
      {active && (
        <Split
          width={264}
          list={
            <ChoiceList
              label={trans.__('Jobs')}
              active={active.id}
              onChoose={setChosen}
              items={jobs.map(job => ({
                key: job.id,
                lead: <StatusPill state={job.state} compact />,
                title: <span title={job.name}>{job.name}</span>,
                detail: (
                  <>
                    <Ago at={job.created_ms} /> · {job.owner}
                  </>
                ),
                trail: job.ended_ms && job.started_ms ? <span className="jp-Studio-count">{formatDuration(job.ended_ms - job.started_ms)}</span> : undefined,
                testId: TEST.row('jobs', job.id)
              }))}
            />
          }
        >
          <JobView key={active.id} job={active} refresh={refresh} />
        </Split>
      )}
    </Panel>
  );
}

function isOver(job: Job): boolean {
  return job.state === 'Completed' || job.state === 'Failed' || job.state === 'Stopped';
}

function JobView({ job, refresh }: { job: Job; refresh: () => Promise<void> }): JSX.Element {
  const studio = useStudio();
  const { trans, client } = studio;
  const money = useMoney();
  const now = useNow(isOver(job) ? 30000 : 1000);
  const [stops, setStops] = useState(false);
  return (
    <div className="jp-Studio-stack jp-mod-fill">
      <div className="jp-Studio-detailHead">
        <h2>{job.name}</h2>
        <StatusPill state={job.state} testId={TEST.state('job')} />
        <span className="jp-Studio-hint">
          <Id id={job.id} /> · {job.environment} · {job.started_ms ? formatDuration((job.ended_ms ?? now) - job.started_ms) : trans.__('not started')} · {money(job.cost)}
          {job.exit_code !== null && ` · ${trans.__('exit code %1', job.exit_code)}`}
        </span>
        <span className="jp-Studio-spacer" />
        {!isOver(job) && (
          <Button icon="stop" testId={TEST.jobStop} onClick={() => setStops(true)}>
            {trans.__('Stop')}
          </Button>
        )}
      </div>
      {job.reason && !isOver(job) && <p className="jp-Studio-hint">{job.reason}</p>}
      {job.reason && isOver(job) && job.state !== 'Completed' && <ErrorBox error={new Error(job.reason)} />}
      <div className="jp-Studio-inline">
        {Object.entries(job.params).map(([key, value]) => (
          <Tag key={key}>
            {key} = {String(value)}
          </Tag>
        ))}
        {job.run_ids.map((id, i) => (
          <span key={id} data-testid={TEST.jobRun}>
            <Link onClick={() => studio.open('run', id)}>{job.run_ids.length > 1 ? trans.__('Run %1', i + 1) : trans.__('Open run')}</Link>
          </span>
        ))}
      </div>
      <JobLog id={job.id} over={isOver(job)} />
      {stops && (
        <ConfirmDialog
          title={trans.__('Stop %1?', job.name)}
          verb={trans.__('Stop')}
          act={async () => {
            await client.jobs.stop(job.id);
            await refresh();
          }}
          onClose={() => setStops(false)}
        >
          <p>{trans.__('The script is asked to end and then ended. Its log and what it logged to its runs stay; it is not started again.')}</p>
        </ConfirmDialog>
      )}
    </div>
  );
}

/** What a job printed, while it runs and afterwards. */
export function JobLog({ id, over }: { id: string; over: boolean }): JSX.Element {
  const { client } = useStudio();
  return <LogView source={id} read={offset => client.jobs.log(id, offset)} over={over} testId={TEST.jobLog} />;
}
