import { useState } from 'react';

import type { Endpoint } from '../../api/model';
import { useMoney, useResource, useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { Button, ConfirmDialog, ErrorBox, Id, Link, Panel, Skeleton, StatusPill, Tabs, Tag } from '../../ui';
import { Captures, Events } from './records';
import { modelText } from './panel';
import { PromoteDialog } from './promote';
import { Stats } from './stats';
import { TryIt } from './tryit';

type View = 'try' | 'captures' | 'events';

export function EndpointPanel({ item }: { item: string }): JSX.Element {
  const studio = useStudio();
  const { trans, client } = studio;
  const money = useMoney();
  const { data, error, refresh } = useResource(`endpoint/${item}`, c => c.endpoints.get(item), { topics: ['endpoints', 'models'], everyMs: 2000 });
  const [view, setView] = useState<View>('try');
  const [dialog, setDialog] = useState<'promote' | 'undo' | 'delete' | null>(null);
  const close = (): void => {
    setDialog(null);
    void refresh();
  };
  const actions = data && (
    <>
      <Button icon="undo" disabled={data.previous_version === null} title={data.previous_version === null ? trans.__('There is no earlier version to go back to') : trans.__('Back to version %1', data.previous_version)} testId={TEST.endpointUndo} onClick={() => setDialog('undo')}>
        {trans.__('Undo')}
      </Button>
      <Button icon="trash" title={trans.__('Delete this endpoint')} testId={TEST.endpointDelete} onClick={() => setDialog('delete')}>
        {trans.__('Delete')}
      </Button>
      <Button kind="primary" icon="up" testId={TEST.endpointPromote} onClick={() => setDialog('promote')}>
        {trans.__('Promote')}
      </Button>
    </>
  );
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
      aside={data && <StatusPill state={data.state} testId={TEST.endpointState} title={data.reason ?? undefined} />}
      subtitle={data && <Subtitle endpoint={data} />}
      actions={actions}
      code={data?.snippets.python}
    >
      {error && (error.status === 404 ? <p className="jp-Studio-hint">{trans.__('%1 is not served any more.', item)}</p> : <ErrorBox error={error} onRetry={() => void refresh()} />)}
      {!data && !error && <Skeleton rows={8} />}
      {data && (
        <>
          {data.state === 'Failed' && <ErrorBox error={new Error(failureText(data))} title={trans.__('This endpoint does not answer')} />}
          <Stats endpoint={data} />
          <Tabs
            tabs={[
              ['try', trans.__('Try it')],
              ['captures', trans.__('Captured rows')],
              ['events', trans.__('Events')]
            ]}
            active={view}
            onSelect={setView}
          />
          {view === 'try' && <TryIt key={`${data.name}${data.version}`} endpoint={data} />}
          {view === 'captures' && <Captures name={item} />}
          {view === 'events' && <Events endpoint={data} />}
          {dialog === 'promote' && <PromoteDialog endpoint={data} onClose={close} />}
          {dialog === 'undo' && (
            <ConfirmDialog title={trans.__('Go back to version %1?', data.previous_version ?? '')} verb={trans.__('Undo')} act={() => client.endpoints.undo(item)} onClose={close}>
              <p>{trans.__('%1 answers with version %2 now. Its traffic moves back to version %3 without a failed request; Undo again returns here.', item, data.version ?? '', data.previous_version ?? '')}</p>
            </ConfirmDialog>
          )}
          {dialog === 'delete' && (
            <ConfirmDialog
              title={trans.__('Delete the endpoint %1?', item)}
              verb={trans.__('Delete')}
              act={async () => {
                await client.endpoints.delete(item);
                studio.open('endpoints');
              }}
              onClose={() => setDialog(null)}
            >
              <p>{trans.__('Requests to it fail from now on: %1 were answered so far. Its cost of %2 per hour ends.', data.stats?.requests ?? 0, money(data.price_per_hour))}</p>
              <p>{trans.__('What was captured from it and its monitor go with it. The model %1 stays; deploying it again gives the same address.', modelText(data))}</p>
            </ConfirmDialog>
          )}
        </>
      )}
    </Panel>
  );
}

function failureText(endpoint: Endpoint): string {
  const newest = [...endpoint.events].sort((a, b) => b.at_ms - a.at_ms).find(event => event.detail);
  return [endpoint.reason ?? '', newest?.detail ?? ''].join('\n');
}

function Subtitle({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const model = modelText(endpoint);
  return (
    <>
      <span data-testid={TEST.endpointUrl}>
        <Id id={endpoint.url} whole />
      </span>
      <Link onClick={() => studio.open('models', model.split(' ')[0] ?? '')}>{model}</Link>
      <Tag>{endpoint.mode === 'always' ? trans.__('always on') : trans.__('serverless')}</Tag>
      <Tag>{endpoint.instance_type}</Tag>
      {endpoint.variants.length > 1 && endpoint.variants.map(v => <Tag key={v.name} title={v.reason}>{`v${v.version} · ${v.weight} % · ${v.state}`}</Tag>)}
      {endpoint.reason && endpoint.state !== 'Failed' && <span className="jp-Studio-hint">{endpoint.reason}</span>}
    </>
  );
}
