import { useState } from 'react';

import type { Domain, Member, Role } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, CodeSnippet, ConfirmDialog, DataTable, ErrorBox, Field, IColumn, Modal, Select, Skeleton } from '../../ui';
import { tellWithUndo } from '../../undo';
import { AdminsOnly, ISectionProps, Page } from './parts';

const ROLES: Role[] = ['viewer', 'editor', 'admin'];

/** What each role may do, in a line. */
export function meaningOf(role: string, trans: ReturnType<typeof useStudio>['trans']): string {
  const meanings: Record<string, string> = {
    viewer: trans.__('Sees everything, changes nothing.'),
    editor: trans.__('Works: notebooks, jobs, models, endpoints.'),
    admin: trans.__('Also members, keys, policy, limits.')
  };
  return meanings[role] ?? role;
}

export function MembersPage({ domain, refresh, acts }: ISectionProps): JSX.Element {
  const { trans, session } = useStudio();
  const isAdmin = session?.role === 'admin';
  const [adds, setAdds] = useState(acts && isAdmin);
  const [removes, setRemoves] = useState<string | null>(null);
  const columns = useColumns(domain, isAdmin, refresh, setRemoves);
  return (
    <Page
      name="members"
      title={trans.__('Members')}
      lead={trans.__('Who belongs to this domain. Each person works in a sandbox of their own and sees their own home beside the shared folder.')}
      aside={
        isAdmin && (
          <Button kind="primary" icon="plus" testId={TEST.memberAdd} onClick={() => setAdds(true)}>
            {trans.__('Add member')}
          </Button>
        )
      }
    >
      <DataTable name="members" label={trans.__('Members')} columns={columns} rows={domain.members} rowKey={member => member.user} fit={16} />
      {!isAdmin && <AdminsOnly domain={domain} what={trans.__('Admins add members and change roles.')} />}
      {adds && (
        <MemberDialog
          onClose={() => {
            setAdds(false);
            void refresh();
          }}
        />
      )}
      {removes && <RemoveDialog domain={domain} user={removes} refresh={refresh} onClose={() => setRemoves(null)} />}
    </Page>
  );
}

function useColumns(domain: Domain, isAdmin: boolean, refresh: () => Promise<void>, remove: (user: string) => void): IColumn<Member>[] {
  const { trans, session } = useStudio();
  return [
    {
      key: 'user',
      label: trans.__('Person'),
      width: 140,
      grow: 2,
      cell: member => (
        <span className="jp-Studio-inline">
          <span className="jp-Studio-avatar" aria-hidden="true">
            {member.user.slice(0, 1)}
          </span>
          <b title={member.user}>{member.user}</b>
          {member.user === session?.user && <span className="jp-Studio-hint">{trans.__('you')}</span>}
        </span>
      )
    },
    {
      key: 'role',
      label: trans.__('Role'),
      width: 128,
      grow: 0,
      cell: member => (isAdmin ? <RoleSelect domain={domain} member={member} refresh={refresh} /> : member.role)
    },
    { key: 'may', label: trans.__('May'), width: 160, grow: 3, cell: member => meaningOf(member.role, trans) },
    {
      key: 'act',
      label: '',
      width: 48,
      grow: 0,
      align: 'right',
      cell: member =>
        isAdmin &&
        member.user !== session?.user && <Button kind="quiet" icon="trash" title={trans.__('Remove %1', member.user)} testId={TEST.memberRemove(member.user)} onClick={() => remove(member.user)} />
    }
  ];
}

/** Changes at once; the toast takes it back. */
function RoleSelect({ domain, member, refresh }: { domain: Domain; member: Member; refresh: () => Promise<void> }): JSX.Element {
  const studio = useStudio();
  const { trans, client } = studio;
  const set = useAction(async (role: string) => {
    const before = member.role;
    await client.domain.putMember(member.user, role as Role);
    await refresh();
    tellWithUndo(studio, trans.__('%1 is %2 in %3 now. Their sandbox restarts with it.', member.user, role, domain.name), async () => {
      await client.domain.putMember(member.user, before as Role);
      await refresh();
    });
  });
  return (
    <span className="jp-Studio-roleSelect" title={set.error ? `${set.error.message} ${set.error.hint}` : undefined}>
      <Select
        value={member.role}
        options={ROLES}
        disabled={set.busy}
        label={trans.__('Role of %1', member.user)}
        testId={TEST.memberRole(member.user)}
        onChange={role => void set.run(role)}
      />
      {set.error && <span className="jp-Studio-invalidText">{trans.__('refused')}</span>}
    </span>
  );
}

function MemberDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const { trans, client, session } = useStudio();
  const people = useResource('candidates', c => c.domain.candidates(), { topics: ['members'] });
  const [typed, setUser] = useState('');
  const [role, setRole] = useState<Role>('editor');
  const user = typed || people.data?.[0] || '';
  const add = useAction(async () => {
    await client.domain.putMember(user, role);
    onClose();
  });
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!user || add.busy} testId={TEST.dialogAccept} onClick={() => void add.run()}>
        {add.busy ? trans.__('Adding…') : trans.__('Add member')}
      </Button>
    </>
  );
  return (
    <Modal name="member" title={trans.__('Add a member')} width={520} onClose={onClose} footer={footer}>
      {people.error && <ErrorBox error={people.error} onRetry={() => void people.refresh()} />}
      {!people.data && !people.error && <Skeleton rows={2} />}
      {people.data && people.data.length > 0 && (
        <Field label={trans.__('Person')}>{id => <Select id={id} value={user} options={people.data ?? []} onChange={setUser} testId={TEST.memberUser} />}</Field>
      )}
      {people.data && people.data.length === 0 && <p>{trans.__('Everybody who can sign in here is a member already.')}</p>}
      {user && (
        <div className="jp-Studio-modes jp-mod-3" role="radiogroup" aria-label={trans.__('Role')}>
          {ROLES.map(name => (
            <label key={name} className={`jp-Studio-mode${name === role ? ' jp-mod-active' : ''}`}>
              <input type="radio" name="role" checked={name === role} onChange={() => setRole(name)} />
              <span>
                <b>{name}</b>
              </span>
              <small>{meaningOf(name, trans)}</small>
            </label>
          ))}
        </div>
      )}
      <details open={people.data?.length === 0}>
        <summary>{trans.__('Somebody who is not in the list')}</summary>
        <p className="jp-Studio-hint">{session?.operates ? trans.__('You run this installation: add them on its computer, then give them a link to sign in with.') : trans.__('Who runs this installation adds people, on its computer:')}</p>
        <CodeSnippet code={'studio user create NAME\nstudio signin --user NAME'} />
      </details>
      {add.error && <ErrorBox error={add.error} />}
    </Modal>
  );
}

function RemoveDialog({ domain, user, refresh, onClose }: { domain: Domain; user: string; refresh: () => Promise<void>; onClose: () => void }): JSX.Element {
  const { trans, client } = useStudio();
  return (
    <ConfirmDialog
      title={trans.__('Remove %1 from %2?', user, domain.name)}
      verb={trans.__('Remove')}
      act={async () => {
        await client.domain.removeMember(user);
        await refresh();
      }}
      onClose={onClose}
    >
      <p>{trans.__('Their open pages end within seconds, with their kernels and jobs here, and their keys stop working. Endpoints go on. Their files stay in the domain.')}</p>
    </ConfirmDialog>
  );
}
