import { useState } from 'react';

import type { AccessKey, Domain, Member, Role } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { Ago, Button, ConfirmDialog, DataTable, ErrorBox, Field, IColumn, Id, KeyValue, Modal, Panel, Section, Select, Skeleton, Tag, TextInput } from '../../ui';
import { KeyDialog } from './keys';

const ROLES: Role[] = ['viewer', 'editor', 'admin'];

export function DomainPanel(): JSX.Element {
  const { trans, session } = useStudio();
  const { data, error, refresh } = useResource('domain', client => client.domain.get(), { topics: ['members'], everyMs: 30000 });
  const isAdmin = session?.role === 'admin';
  return (
    <Panel name="domain" title={data?.title || data?.name || session?.domain || ''} icon="domain" aside={session && <Tag>{session.role}</Tag>}>
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton rows={6} />}
      {data && (
        <div className="jp-Studio-columns2">
          <div>
            <Members domain={data} isAdmin={isAdmin} refresh={refresh} />
            {isAdmin && <Keys domain={data} />}
          </div>
          <div>
            <Isolation domain={data} />
            <Section title={trans.__('This domain')}>
              <KeyValue
                items={[
                  [trans.__('Name'), data.name],
                  [trans.__('Created'), <Ago key="at" at={data.created_ms} />],
                  [trans.__('Shared folder'), <Id key="id" id={data.shared_path} whole />],
                  [trans.__('Address'), session?.address ? <Id key="id" id={session.address} whole /> : '–'],
                  [trans.__('Studio'), session?.version ?? '–']
                ]}
              />
            </Section>
          </div>
        </div>
      )}
    </Panel>
  );
}

/** What holds this domain apart on this host, honestly. */
function Isolation({ domain }: { domain: Domain }): JSX.Element {
  const { trans, session } = useStudio();
  const isolation = session?.isolation;
  const level = isolation?.level ?? domain.isolation;
  const isolated = level !== 'none';
  return (
    <Section title={trans.__('Isolation')}>
      <div className={`jp-Studio-isolation${isolated ? '' : ' jp-mod-warning'}`}>
        <Icon name={isolated ? 'shield' : 'warning'} />
        <div>
          <b>{isolated ? trans.__('Isolated (%1)', level) : trans.__('Not isolated')}</b>
          <p>{isolation?.detail}</p>
          <p className="jp-Studio-hint">{networkText(domain.network_mode, trans)}</p>
        </div>
      </div>
    </Section>
  );
}

function networkText(mode: string, trans: ReturnType<typeof useStudio>['trans']): string {
  const texts: Record<string, string> = {
    open: trans.__("Network open: code here reaches the internet and this host's own services."),
    studio: trans.__("Network studio: code here reaches Studio's API and nothing else."),
    none: trans.__('Network none: code here reaches nothing; tracking from code is refused.')
  };
  return texts[mode] ?? mode;
}

function Members({ domain, isAdmin, refresh }: { domain: Domain; isAdmin: boolean; refresh: () => Promise<void> }): JSX.Element {
  const { trans, client, session } = useStudio();
  const [adds, setAdds] = useState(false);
  const [removes, setRemoves] = useState<string | null>(null);
  const columns: IColumn<Member>[] = [
    { key: 'user', label: trans.__('User'), width: 140, grow: 2, cell: m => (m.user === session?.user ? trans.__('%1 (you)', m.user) : m.user) },
    { key: 'role', label: trans.__('Role'), width: 88, cell: m => <Tag>{m.role}</Tag> },
    {
      key: 'act',
      label: '',
      width: 48,
      grow: 0,
      align: 'right',
      cell: m => isAdmin && m.user !== session?.user && <Button kind="quiet" icon="trash" title={trans.__('Remove %1', m.user)} onClick={() => setRemoves(m.user)} />
    }
  ];
  return (
    <Section
      title={trans.__('Members')}
      aside={
        isAdmin && (
          <Button icon="plus" testId={TEST.memberAdd} onClick={() => setAdds(true)}>
            {trans.__('Add')}
          </Button>
        )
      }
    >
      <DataTable name="members" label={trans.__('Members')} columns={columns} rows={domain.members} rowKey={m => m.user} fit={12} />
      {adds && (
        <MemberDialog
          onClose={() => {
            setAdds(false);
            void refresh();
          }}
        />
      )}
      {removes && (
        <ConfirmDialog
          title={trans.__('Remove %1 from %2?', removes, domain.name)}
          verb={trans.__('Remove')}
          act={async () => {
            await client.domain.removeMember(removes);
            await refresh();
          }}
          onClose={() => setRemoves(null)}
        >
          <p>{trans.__('Their lab in this domain ends, with its kernels and jobs, and their keys stop working. Their files stay in the domain.')}</p>
        </ConfirmDialog>
      )}
    </Section>
  );
}

function MemberDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const { trans, client } = useStudio();
  const [user, setUser] = useState('');
  const [role, setRole] = useState<Role>('editor');
  const add = useAction(async () => {
    await client.domain.addMember(user, role);
    onClose();
  });
  const meaning: Record<Role, string> = {
    viewer: trans.__('Sees everything, changes nothing.'),
    editor: trans.__('Works: notebooks, jobs, models, endpoints.'),
    admin: trans.__('Also members, keys and policy.')
  };
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!user || add.busy} testId={TEST.dialogAccept} onClick={() => void add.run()}>
        {trans.__('Add')}
      </Button>
    </>
  );
  return (
    <Modal name="member" title={trans.__('Add a member')} width={400} onClose={onClose} footer={footer}>
      <Field label={trans.__('User')}>{id => <TextInput id={id} value={user} onChange={setUser} autoFocus />}</Field>
      <Field label={trans.__('Role')} hint={meaning[role]}>
        {id => <Select id={id} value={role} options={ROLES} onChange={value => setRole(value as Role)} />}
      </Field>
      {add.error && <ErrorBox error={add.error} />}
    </Modal>
  );
}

function Keys({ domain }: { domain: Domain }): JSX.Element {
  const { trans, client } = useStudio();
  const { data, error, refresh } = useResource('keys', c => c.domain.keys(), { topics: [] });
  const [creates, setCreates] = useState(false);
  const [revokes, setRevokes] = useState<AccessKey | null>(null);
  const columns: IColumn<AccessKey>[] = [
    { key: 'name', label: trans.__('Key'), width: 130, grow: 2, cell: key => key.name || key.id },
    { key: 'user', label: trans.__('User'), width: 80, cell: key => key.user },
    { key: 'created', label: trans.__('Created'), width: 88, cell: key => <Ago at={key.created_ms} /> },
    { key: 'expires', label: trans.__('Expires'), width: 96, cell: key => (key.expires_ms ? new Date(key.expires_ms).toISOString().slice(0, 10) : trans.__('never')) },
    { key: 'act', label: '', width: 48, grow: 0, align: 'right', cell: key => <Button kind="quiet" icon="trash" title={trans.__('Revoke %1', key.name || key.id)} onClick={() => setRevokes(key)} /> }
  ];
  return (
    <Section
      title={trans.__('Access keys')}
      aside={
        <Button icon="plus" testId={TEST.keyCreate} onClick={() => setCreates(true)}>
          {trans.__('Create')}
        </Button>
      }
    >
      <p className="jp-Studio-hint">{trans.__('For programs outside: mlflow, curl, your own service. A key belongs to this domain only.')}</p>
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {data && data.length > 0 && <DataTable name="keys" label={trans.__('Access keys')} columns={columns} rows={data} rowKey={key => key.id} fit={12} />}
      {creates && (
        <KeyDialog
          users={domain.members.map(m => m.user)}
          onClose={() => {
            setCreates(false);
            void refresh();
          }}
        />
      )}
      {revokes && (
        <ConfirmDialog
          title={trans.__('Revoke %1?', revokes.name || revokes.id)}
          verb={trans.__('Revoke')}
          act={async () => {
            await client.domain.revokeKey(revokes.id);
            await refresh();
          }}
          onClose={() => setRevokes(null)}
        >
          <p>{trans.__('Programs that use it are refused at once. This cannot be undone; create another key instead.')}</p>
        </ConfirmDialog>
      )}
    </Section>
  );
}
