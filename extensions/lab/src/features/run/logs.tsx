import type { RunDetail } from '../../api/model';
import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { EmptyState, ErrorBox, Link, Skeleton, StatusPill } from '../../ui';
import { JobLog } from '../jobs/panel';

/** What the job of the run printed; a kernel's output is in its notebook. */
export function Logs({ run }: { run: RunDetail }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const id = run.job_id ?? '';
  const { data: job, error, refresh } = useResource(id ? `job/${id}` : null, client => client.jobs.get(id), { topics: ['jobs'], id });
  if (!id) {
    return (
      <EmptyState
        icon="jobs"
        testId={TEST.empty('logs')}
        title={trans.__('No log')}
        text={trans.__('This run is of a notebook or of a program outside; what it printed is there. Run the script as a job, and its output is kept here.')}
        code={'from studio.guest import sdk\n\nsdk.run_job("train.py", params={"depth": 6})'}
      />
    );
  }
  if (!job) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton rows={8} />;
  }
  return (
    <div className="jp-Studio-stack jp-mod-fill" data-testid={TEST.runLog}>
      <div className="jp-Studio-inline">
        <StatusPill state={job.state} />
        <Link onClick={() => studio.open('jobs', job.id)}>{trans.__('Job %1', job.name)}</Link>
        {job.run_ids.length > 1 && <span className="jp-Studio-hint">{trans.__('The log of the whole job, with all %1 runs in it.', job.run_ids.length)}</span>}
      </div>
      <JobLog id={job.id} over={job.ended_ms !== null} />
    </div>
  );
}
