import { useState } from 'react';

import type { Endpoint } from '../../api/model';
import { useMoney, useResource, useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { Button, ConfirmDialog, ErrorBox, Id, Link, Panel, Skeleton, StatusPill, Tabs, Tag } from '../../ui';
import { Captures, Events } from './records';
import { failureText } from './failure';
import { Logs } from './logs';
import { modelText } from './panel';
import { PromoteDialog } from './promote';
import { Shift } from './rollout';
import { Settings } from './settings';
import { Stats } from './stats';
import { TryIt } from './tryit';
import { Variants } from './variants';
import { modelOf } from './versions';

type View = 'try' | 'captures' | 'events' | 'logs' | 'settings';
type Dialog = 'promote' | 'undo' | 'stop' | 'delete';

export function EndpointPanel({ item }: { item: string }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { data, error, refresh } = useResource(`endpoint/${item}`, c => c.endpoints.get(item), { topics: ['endpoints', 'models'], everyMs: 2000 });
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const mayChange = studio.session?.role !== 'viewer';
  return (
    <Panel
      name="endpoint"
      icon="endpoints"
      title={
        <>
          <Link onClick={() => studio.open('endpoints')}>{trans.__('Endpoints')}</Link>
          <Icon name="chevron" size={12} />
          <span>{item}</span>
        </>
      }
      aside={data && <StatusPill state={data.state} testId={TEST.endpointState} title={data.reason || undefined} />}
      subtitle={data && <Subtitle endpoint={data} />}
      actions={data && mayChange && <Actions endpoint={data} onDialog={setDialog} />}
      code={data?.snippets.python}
    >
      {error && (error.status === 404 ? <p className="jp-Studio-hint">{trans.__('%1 is not served any more.', item)}</p> : <ErrorBox error={error} onRetry={() => void refresh()} />)}
      {!data && !error && <Skeleton rows={8} />}
      {data && (
        <>
          <Why endpoint={data} />
          {data.rollout && <Shift endpoint={data} rollout={data.rollout} mayChange={mayChange} onDone={refresh} />}
          <Stats endpoint={data} />
          <Variants endpoint={data} mayChange={mayChange} onChanged={refresh} />
          <Views endpoint={data} mayChange={mayChange} onSaved={refresh} />
          {dialog && (
            <Dialogs
              endpoint={data}
              dialog={dialog}
              onClose={() => {
                setDialog(null);
                void refresh();
              }}
            />
          )}
        </>
      )}
    </Panel>
  );
}

/** Why it is as it is, where there is something to say. */
function Why({ endpoint }: { endpoint: Endpoint }): JSX.Element | null {
  const { trans } = useStudio();
  const [seen, setSeen] = useState('');
  if (endpoint.state === 'Failed') {
    return <ErrorBox error={new Error(failureText(endpoint))} title={trans.__('This endpoint does not answer')} />;
  }
  if (!endpoint.reason || endpoint.reason === seen || endpoint.rollout) {
    return null;
  }
  const isBack = endpoint.state === 'InService';
  return (
    <div className={isBack ? 'jp-Studio-banner' : 'jp-Studio-hint jp-Studio-reason'} role="status" data-testid={TEST.endpointReason}>
      {isBack && <Icon name="warning" size={14} />}
      <span>{endpoint.reason}</span>
      {isBack && <Button kind="quiet" icon="close" title={trans.__('Seen')} onClick={() => setSeen(endpoint.reason)} />}
    </div>
  );
}

function Actions({ endpoint, onDialog }: { endpoint: Endpoint; onDialog: (dialog: Dialog) => void }): JSX.Element {
  const { trans } = useStudio();
  const back = endpoint.rollout ? trans.__('Take the shift to version %1 back', endpoint.rollout.version) : endpoint.previous_version === null ? trans.__('There is no earlier version to go back to') : trans.__('Back to version %1', endpoint.previous_version);
  const runs = endpoint.variants.some(v => v.replicas.some(r => r.state !== 'Parked'));
  return (
    <>
      <Button icon="stop" disabled={!runs} title={runs ? trans.__('To zero: it costs nothing until the next request') : trans.__('Nothing of it runs')} testId={TEST.endpointStop} onClick={() => onDialog('stop')}>
        {trans.__('Stop')}
      </Button>
      <Button icon="trash" title={trans.__('Delete this endpoint')} testId={TEST.endpointDelete} onClick={() => onDialog('delete')}>
        {trans.__('Delete')}
      </Button>
      <Button icon="undo" disabled={!endpoint.rollout && endpoint.previous_version === null} title={back} testId={TEST.endpointUndo} onClick={() => onDialog('undo')}>
        {trans.__('Undo')}
      </Button>
      <Button kind="primary" icon="up" testId={TEST.endpointPromote} onClick={() => onDialog('promote')}>
        {trans.__('Promote')}
      </Button>
    </>
  );
}

function Views({ endpoint, mayChange, onSaved }: { endpoint: Endpoint; mayChange: boolean; onSaved: () => Promise<void> }): JSX.Element {
  const { trans } = useStudio();
  const [view, setView] = useState<View>('try');
  return (
    <div className="jp-Studio-endpointViews">
      <Tabs
        tabs={[
          ['try', trans.__('Try it')],
          ['captures', trans.__('Captured rows')],
          ['events', trans.__('Events')],
          ['logs', trans.__('Logs')],
          ['settings', trans.__('Settings')]
        ]}
        active={view}
        onSelect={setView}
        testId={TEST.endpointTab}
      />
      {view === 'try' && <TryIt key={`${endpoint.name}${endpoint.version}`} endpoint={endpoint} />}
      {view === 'captures' && <Captures name={endpoint.name} />}
      {view === 'events' && <Events endpoint={endpoint} />}
      {view === 'logs' && <Logs name={endpoint.name} />}
      {view === 'settings' && <Settings endpoint={endpoint} mayChange={mayChange} onSaved={onSaved} />}
    </div>
  );
}

function Dialogs({ endpoint, dialog, onClose }: { endpoint: Endpoint; dialog: Dialog; onClose: () => void }): JSX.Element {
  const studio = useStudio();
  const { trans, client } = studio;
  const money = useMoney();
  const { name } = endpoint;
  if (dialog === 'promote') {
    return <PromoteDialog endpoint={endpoint} onClose={onClose} />;
  }
  if (dialog === 'undo') {
    const shift = endpoint.rollout;
    return (
      <ConfirmDialog title={shift ? trans.__('Take version %1 back?', shift.version) : trans.__('Go back to version %1?', endpoint.previous_version ?? '')} verb={trans.__('Undo')} act={() => client.endpoints.undo(name)} onClose={onClose}>
        <p>
          {shift
            ? trans.__('Version %1 has %2 % of the traffic of %3. The others have all of it again, without a failed request; version %1 finishes what it has begun and ends.', shift.version, shift.share, name)
            : trans.__('%1 answers with version %2 now. Its traffic moves back to version %3 without a failed request; Undo again returns here.', name, endpoint.version, endpoint.previous_version ?? '')}
        </p>
      </ConfirmDialog>
    );
  }
  if (dialog === 'stop') {
    return (
      <ConfirmDialog title={trans.__('Stop %1?', name)} verb={trans.__('Stop')} act={() => client.endpoints.stop(name)} onClose={onClose}>
        <p>{trans.__('Its replicas end, and with them its cost of %1 per hour. It keeps its address: the next request wakes it, and waits for that.', money(endpoint.price_per_hour))}</p>
      </ConfirmDialog>
    );
  }
  return (
    <ConfirmDialog
      title={trans.__('Delete the endpoint %1?', name)}
      verb={trans.__('Delete')}
      act={async () => {
        await client.endpoints.delete(name);
        studio.open('endpoints');
      }}
      onClose={onClose}
    >
      <p>{trans.__('Requests to it fail from now on: %1 were answered so far. Its cost of %2 per hour ends.', endpoint.stats.requests, money(endpoint.price_per_hour))}</p>
      <p>{trans.__('What was captured from it and its monitor go with it. The model %1 stays; deploying it again gives the same address.', modelText(endpoint))}</p>
    </ConfirmDialog>
  );
}

function Subtitle({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  return (
    <>
      <span data-testid={TEST.endpointUrl}>
        <Id id={endpoint.url} whole />
      </span>
      <Link onClick={() => studio.open('models', modelOf(endpoint))}>{modelText(endpoint)}</Link>
      <Tag>{endpoint.mode === 'always' ? trans.__('always on') : trans.__('serverless')}</Tag>
      <Tag>{endpoint.instance_type}</Tag>
    </>
  );
}
