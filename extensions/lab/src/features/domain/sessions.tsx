import { useState } from 'react';

import type { OpenSession } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, ConfirmDialog, DataTable, ErrorBox, IColumn, Skeleton, Tag } from '../../ui';
import { Expiry } from './keys';
import { Failure, ISectionProps, Page } from './parts';

/** The browsers in which one is signed in, of all domains; each can be signed out from here. */
export function SessionsPage({ domain }: ISectionProps): JSX.Element {
  const { trans, client, session } = useStudio();
  const { data, error, refresh } = useResource('sessions', c => c.domain.sessions(), { topics: [], everyMs: 30000 });
  const [ends, setEnds] = useState<OpenSession | 'others' | null>(null);
  const end = useAction(async (id: string) => {
    await client.domain.endSession(id);
    await refresh();
  });
  const others = data?.filter(item => !item.current).length ?? 0;
  const columns = useColumns(session => (session.current ? setEnds(session) : void end.run(session.id)));
  return (
    <Page
      name="sessions"
      title={trans.__('My sessions')}
      lead={trans.__('Browsers in which you are signed in, whatever domains they have open. What you do not know, sign out.')}
      aside={
        others > 0 && (
          <Button testId={TEST.sessionsEnd} onClick={() => setEnds('others')}>
            {trans._n('Sign out %1 other', 'Sign out %1 others', others)}
          </Button>
        )
      }
    >
      <p className="jp-Studio-hint jp-Studio-lead">
        {trans.__('A password is set and changed on')}{' '}
        <a href={`${session?.address ?? ''}/account`} target="_blank" rel="noopener noreferrer">
          {trans.__('your account’s page')}
        </a>
        .
      </p>
      {error && <Failure error={error} domain={domain} onRetry={() => void refresh()} />}
      {end.error && <ErrorBox error={end.error} />}
      {!data && !error && <Skeleton rows={3} />}
      {data && <DataTable name="sessions" label={trans.__('My sessions')} columns={columns} rows={data} rowKey={session => session.id} fit={16} />}
      {ends === 'others' && (
        <ConfirmDialog
          title={trans._n('Sign out %1 other browser?', 'Sign out %1 other browsers?', others)}
          verb={trans.__('Sign out')}
          act={async () => {
            await client.domain.endOtherSessions();
            await refresh();
          }}
          onClose={() => setEnds(null)}
        >
          <p>{trans.__('Their pages end within seconds. What runs in your labs goes on; this browser stays signed in.')}</p>
        </ConfirmDialog>
      )}
      {ends && ends !== 'others' && (
        <ConfirmDialog
          title={trans.__('Sign out this browser?')}
          verb={trans.__('Sign out')}
          act={async () => {
            await client.domain.endSession(ends.id);
            window.location.reload();
          }}
          onClose={() => setEnds(null)}
        >
          <p>{trans.__('This page and every lab opened from this browser end. What runs in them goes on.')}</p>
        </ConfirmDialog>
      )}
    </Page>
  );
}

function useColumns(end: (session: OpenSession) => void): IColumn<OpenSession>[] {
  const { trans } = useStudio();
  return [
    {
      key: 'agent',
      label: trans.__('Browser'),
      width: 200,
      grow: 3,
      cell: session => (
        <span className="jp-Studio-inline">
          <b>{session.agent || trans.__('not known')}</b>
          {session.current && <Tag tone="brand">{trans.__('this one')}</Tag>}
        </span>
      )
    },
    { key: 'address', label: trans.__('From'), width: 112, cell: session => session.address || '–' },
    { key: 'via', label: trans.__('Signed in with'), width: 104, cell: session => (session.via === 'password' ? trans.__('password') : trans.__('link')) },
    { key: 'domains', label: trans.__('Labs open'), width: 104, grow: 2, cell: session => session.domains.join(', ') || '–' },
    { key: 'created', label: trans.__('Since'), width: 100, grow: 0, cell: session => <Ago at={session.created_ms} /> },
    { key: 'seen', label: trans.__('Last seen'), width: 100, grow: 0, cell: session => <Ago at={session.seen_ms} /> },
    { key: 'expires', label: trans.__('Ends'), width: 72, grow: 0, cell: session => <Expiry at={session.expires_ms} /> },
    {
      key: 'act',
      label: '',
      width: 88,
      grow: 0,
      align: 'right',
      cell: session => (
        <Button kind="quiet" testId={TEST.sessionEnd(session.id)} onClick={() => end(session)}>
          {trans.__('Sign out')}
        </Button>
      )
    }
  ];
}
