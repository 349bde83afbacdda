import { useState } from 'react';

import type { AccessKey } from '../../api/model';
import { formatExact } from '../../format';
import { useNow, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, ConfirmDialog, DataTable, EmptyState, IColumn, Id, Skeleton, Tag } from '../../ui';
import { KeyDialog } from './keydialog';
import { Failure, ISectionProps, Page } from './parts';
import { expiryOf, scopeText, untilText } from './scope';

/** Access keys of programs: what each may do, when it was last used, when it ends. */
export function KeysPage({ domain, acts }: ISectionProps): JSX.Element {
  const { trans, client, session } = useStudio();
  const mayMake = session?.role === 'admin' || session?.role === 'editor';
  const { data, error, refresh } = useResource('keys', c => c.domain.keys(), { topics: ['members'], everyMs: 30000 });
  const [creates, setCreates] = useState(acts && mayMake);
  const [revokes, setRevokes] = useState<AccessKey | null>(null);
  const columns = useColumns(setRevokes);
  const create = mayMake && (
    <Button kind="primary" icon="plus" testId={TEST.keyCreate} onClick={() => setCreates(true)}>
      {trans.__('Create key')}
    </Button>
  );
  const users = session?.role === 'admin' ? domain.members.map(member => member.user) : [session?.user ?? ''];
  return (
    <Page
      name="keys"
      title={trans.__('Access keys')}
      lead={trans.__('For programs outside: mlflow, curl, your own service. A key belongs to this domain only and never does more than its user may now.')}
      aside={data && data.length > 0 && create}
    >
      {error && <Failure error={error} domain={domain} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton rows={4} />}
      {data && data.length > 0 && <DataTable name="keys" label={trans.__('Access keys')} columns={columns} rows={data} rowKey={key => key.id} fit={16} />}
      {data && data.length === 0 && (
        <EmptyState
          icon="key"
          testId={TEST.empty('keys')}
          title={trans.__('No key yet')}
          text={trans.__('Code in this lab needs none. A program elsewhere shows a key; narrow it to what the program does.')}
          action={create}
          code={`studio key create --domain ${domain.name} --user ${session?.user ?? 'you'} --action 'tracking.*' --days 30`}
        />
      )}
      {creates && (
        <KeyDialog
          users={users}
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
          <p>{revokes.used_ms ? trans.__('A program used it lately: it is refused at once.') : trans.__('It was never used.')}</p>
          <p>{trans.__('This cannot be undone; create another key instead.')}</p>
        </ConfirmDialog>
      )}
    </Page>
  );
}

function useColumns(revoke: (key: AccessKey) => void): IColumn<AccessKey>[] {
  const { trans } = useStudio();
  return [
    { key: 'name', label: trans.__('Key'), width: 136, grow: 3, cell: key => (key.name ? <b title={key.name}>{key.name}</b> : <span className="jp-Studio-hint">{trans.__('no name')}</span>) },
    { key: 'id', label: trans.__('Id'), width: 88, grow: 0, cell: key => <Id id={key.id} /> },
    { key: 'user', label: trans.__('Acts as'), width: 72, cell: key => key.user },
    { key: 'scope', label: trans.__('May'), width: 160, grow: 3, cell: key => scopeText(key, trans) },
    { key: 'used', label: trans.__('Last used'), width: 100, grow: 0, cell: key => (key.used_ms ? <Ago at={key.used_ms} /> : <span className="jp-Studio-hint">{trans.__('never')}</span>) },
    { key: 'created', label: trans.__('Created'), width: 100, grow: 0, cell: key => <Ago at={key.created_ms} /> },
    { key: 'expires', label: trans.__('Expires'), width: 100, grow: 0, cell: key => <Expiry at={key.expires_ms} /> },
    { key: 'act', label: '', width: 48, grow: 0, align: 'right', cell: key => <Button kind="quiet" icon="trash" title={trans.__('Revoke %1', key.name || key.id)} onClick={() => revoke(key)} /> }
  ];
}

/** When a key or session ends; amber within a week. */
export function Expiry({ at }: { at: number | null | undefined }): JSX.Element {
  const { trans } = useStudio();
  const now = useNow(30000);
  const soon = expiryOf(at, now);
  if (soon === 'never' || !at) {
    return <span>{trans.__('never')}</span>;
  }
  if (soon === 'ended') {
    return <Tag tone="warning">{trans.__('expired')}</Tag>;
  }
  const text = untilText(at, now, trans);
  return soon === 'soon' ? (
    <Tag tone="warning" title={formatExact(at)}>
      {text}
    </Tag>
  ) : (
    <time title={formatExact(at)}>{text}</time>
  );
}
