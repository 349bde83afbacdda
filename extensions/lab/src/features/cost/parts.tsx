import { useState } from 'react';

import type { RunningItem } from '../../api/model';
import { useAction, useStudio } from '../../hooks';
import type { IconName } from '../../icons';
import { TEST } from '../../testids';
import type { IStudio } from '../../tokens';
import { Button, ConfirmDialog } from '../../ui';

export const KIND_ICONS: Record<string, IconName> = {
  run: 'run',
  endpoint: 'endpoints',
  model: 'models',
  version: 'models',
  model_version: 'models',
  job: 'jobs',
  dataset: 'data',
  'data set': 'data',
  alert: 'warning',
  kernel: 'notebook',
  lab: 'domain',
  dashboards: 'dashboard',
  'fork server': 'environments',
  environment: 'environments'
};

/** Leads from something that runs to the panel where one sees more of it. */
export function openRunning(studio: IStudio, item: RunningItem): void {
  if (item.kind === 'endpoint') {
    studio.open('endpoint', item.name);
  } else if (item.kind === 'job') {
    studio.open('jobs', item.id);
  } else if (item.kind === 'dashboards') {
    studio.open('dashboard', 'compare');
  } else {
    studio.open('cost');
  }
}

/** Stops at once what can be started again at no loss; asks where work or traffic would be lost. */
export function StopButton({ item, onDone }: { item: RunningItem; onDone: () => Promise<void> }): JSX.Element {
  const { trans, client } = useStudio();
  const [asks, setAsks] = useState(false);
  const act = async (): Promise<void> => {
    await client.cost.stop(item.id);
    await onDone();
  };
  const stop = useAction(act);
  const harmless = item.kind === 'fork server' || item.kind === 'dashboards';
  const losses: Record<string, string> = {
    kernel: trans.__('Its variables are lost; the notebook file stays.'),
    job: trans.__('The script ends here. Its log and what it logged to its runs stay.'),
    endpoint: trans.__('Its replicas end and it costs nothing; the next request wakes it.'),
    lab: trans.__('This window stops answering until the lab is opened again; files stay.')
  };
  return (
    <>
      <Button kind="quiet" disabled={stop.busy} title={stop.error ? `${stop.error.message} ${stop.error.hint}` : undefined} testId={TEST.runningStop(item.id)} onClick={() => (harmless ? void stop.run() : setAsks(true))}>
        {stop.busy ? trans.__('Stopping…') : stop.error ? trans.__('Failed – again') : trans.__('Stop')}
      </Button>
      {asks && (
        <ConfirmDialog title={trans.__('Stop %1?', item.name)} verb={trans.__('Stop')} act={act} onClose={() => setAsks(false)}>
          <p>{losses[item.kind] ?? trans.__('It ends now.')}</p>
        </ConfirmDialog>
      )}
    </>
  );
}

export function StopAll({ count, onDone }: { count: number; onDone: () => Promise<void> }): JSX.Element {
  const { trans, client, session } = useStudio();
  const [asks, setAsks] = useState(false);
  const act = async (): Promise<void> => {
    await client.cost.stopAll();
    await onDone();
  };
  return (
    <>
      <Button icon="stop" testId={TEST.stopAll} onClick={() => setAsks(true)}>
        {trans.__('Stop all')}
      </Button>
      {asks && (
        <ConfirmDialog title={trans.__('Stop everything in %1?', session?.domain ?? '')} verb={trans.__('Stop all')} act={act} onClose={() => setAsks(false)}>
          <p>{trans._n('%1 thing that costs is ended:', '%1 things that cost are ended:', count)}</p>
          <ul>
            <li>{trans.__('endpoints go to zero until the next request wakes them')}</li>
            <li>{trans.__('kernels lose their variables, jobs end where they are')}</li>
          </ul>
          <p>{trans.__('Files, runs, models and captured rows stay. This lab stays open.')}</p>
        </ConfirmDialog>
      )}
    </>
  );
}
