import { useState } from 'react';

import type { Domain, Snapshot } from '../../api/model';
import { formatBytes, formatCount } from '../../format';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, ConfirmDialog, DataTable, EmptyState, ErrorBox, Field, IColumn, Modal, Section, Select, Skeleton, StatusPill, TextInput } from '../../ui';
import { Failure } from './parts';

interface IProps {
  domain: Domain;
  acts: boolean;
  isCheap: boolean;
}

/** Copies of the shared folder or of one's own home as they were, and the way back. */
export function Snapshots({ domain, acts, isCheap }: IProps): JSX.Element {
  const { trans, client, session } = useStudio();
  const mayWrite = session?.role !== 'viewer';
  const [fast, setFast] = useState(false);
  const { data, error, refresh } = useResource('snapshots', c => c.volume.snapshots(), { topics: ['volumes'], everyMs: fast ? 1000 : 15000 });
  const restores = useResource('restores', c => c.volume.restores(), { topics: ['volumes'], everyMs: fast ? 1000 : undefined });
  const [creates, setCreates] = useState(acts && mayWrite);
  const [restored, setRestored] = useState<Snapshot | null>(null);
  const [deletes, setDeletes] = useState<Snapshot | null>(null);
  const isMoving = [...(data ?? []), ...(restores.data ?? [])].some(item => item.state === 'Waiting' || item.state === 'Running' || item.state === 'Deleting');
  if (isMoving !== fast) {
    setFast(isMoving);
  }
  const columns = columnsOf(trans, mayWrite, setRestored, setDeletes);
  const create = mayWrite && (
    <Button kind={data?.length ? 'plain' : 'primary'} icon="snapshot" testId={TEST.snapshotCreate} onClick={() => setCreates(true)}>
      {trans.__('Take a snapshot')}
    </Button>
  );
  const moving = restores.data?.filter(item => item.state === 'Waiting' || item.state === 'Running') ?? [];
  return (
    <Section title={trans.__('Snapshots')} aside={data && data.length > 0 && create}>
      {error && <Failure error={error} domain={domain} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton rows={3} />}
      {moving.map(item => (
        <p key={item.id} className="jp-Studio-hint" role="status">
          {trans.__('Restoring %1: %2 of %3', item.in_place ? trans.__('in place') : item.folder, formatBytes(item.done), formatBytes(item.total))}
        </p>
      ))}
      {restores.data?.[0]?.state === 'Failed' && <ErrorBox error={new Error(restores.data[0].error)} title={trans.__('The last restore failed')} />}
      {data && data.length > 0 && <DataTable name="snapshots" label={trans.__('Snapshots')} columns={columns} rows={data} rowKey={snapshot => snapshot.id} fit={10} />}
      {data && data.length === 0 && (
        <EmptyState
          icon="snapshot"
          testId={TEST.empty('snapshots')}
          title={trans.__('No snapshot yet')}
          text={
            isCheap
              ? trans.__('A snapshot keeps a folder as it is now. This disk shares what does not change, so it costs next to nothing.')
              : trans.__('A snapshot keeps a folder as it is now. On this disk it is a full copy.')
          }
          action={create}
          code={`studio snapshot create "before the clean-up" --domain ${domain.name}`}
        />
      )}
      {creates && <SnapshotDialog onClose={() => (setCreates(false), void refresh())} />}
      {restored && <RestoreDialog snapshot={restored} onClose={() => (setRestored(null), void restores.refresh())} />}
      {deletes && (
        <ConfirmDialog
          title={trans.__('Delete the snapshot %1?', deletes.title || deletes.id)}
          verb={trans.__('Delete')}
          act={async () => {
            await client.volume.deleteSnapshot(deletes.id);
            await refresh();
          }}
          onClose={() => setDeletes(null)}
        >
          <p>{trans.__('%1 of files as they were then are gone for good. The folder of today stays.', formatBytes(deletes.bytes))}</p>
        </ConfirmDialog>
      )}
    </Section>
  );
}

type Trans = ReturnType<typeof useStudio>['trans'];
type Choose = (snapshot: Snapshot) => void;

function columnsOf(trans: Trans, mayWrite: boolean, restore: Choose, remove: Choose): IColumn<Snapshot>[] {
  return [
    { key: 'title', label: trans.__('Snapshot'), width: 140, grow: 3, cell: item => <b title={item.id}>{item.title || item.id}</b> },
    { key: 'of', label: trans.__('Of'), width: 112, grow: 0, cell: item => (item.target === 'home' ? trans.__('my home') : trans.__('shared folder')) },
    { key: 'state', label: trans.__('State'), width: 112, cell: item => <State item={item} trans={trans} /> },
    { key: 'size', label: trans.__('Size'), width: 72, align: 'right', cell: item => (item.state === 'Ready' ? formatBytes(item.bytes) : '–') },
    { key: 'files', label: trans.__('Files'), width: 72, align: 'right', cell: item => (item.state === 'Ready' ? formatCount(item.files) : '–') },
    { key: 'by', label: trans.__('By'), width: 72, cell: item => item.made_by },
    { key: 'at', label: trans.__('Taken'), width: 100, grow: 0, cell: item => <Ago at={item.created_ms} /> },
    {
      key: 'act',
      label: '',
      width: 116,
      grow: 0,
      align: 'right',
      cell: item =>
        mayWrite && (
          <span className="jp-Studio-inline">
            {item.state === 'Ready' && (
              <Button kind="quiet" testId={TEST.snapshotRestore(item.id)} onClick={() => restore(item)}>
                {trans.__('Restore')}
              </Button>
            )}
            {(item.state === 'Ready' || item.state === 'Failed') && <Button kind="quiet" icon="trash" title={trans.__('Delete %1', item.title || item.id)} onClick={() => remove(item)} />}
          </span>
        )
    }
  ];
}

/** What became of it; while it is made, how far it is. */
function State({ item, trans }: { item: Snapshot; trans: Trans }): JSX.Element {
  if (item.state === 'Running' && item.total > 0) {
    return <span role="status">{trans.__('%1 %', Math.floor((100 * item.done) / item.total))}</span>;
  }
  const notes = [
    item.error,
    item.changed ? trans._n('%1 file was written all the while', '%1 files were written all the while', item.changed) : '',
    item.skipped ? trans._n('%1 socket or device was left out', '%1 sockets or devices were left out', item.skipped) : ''
  ];
  return <StatusPill state={item.state} title={notes.filter(Boolean).join('; ') || undefined} />;
}

function SnapshotDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const { trans, client } = useStudio();
  const [target, setTarget] = useState<Snapshot['target']>('shared');
  const [title, setTitle] = useState('');
  const take = useAction(async () => {
    await client.volume.createSnapshot(target, title);
    onClose();
  });
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={take.busy} testId={TEST.dialogAccept} onClick={() => void take.run()}>
        {trans.__('Take snapshot')}
      </Button>
    </>
  );
  return (
    <Modal name="snapshot" title={trans.__('Take a snapshot')} width={440} onClose={onClose} footer={footer}>
      <Field label={trans.__('Of')}>
        {id => (
          <Select
            id={id}
            value={target}
            options={[
              ['shared', trans.__('the shared folder')],
              ['home', trans.__('my home')]
            ]}
            onChange={value => setTarget(value === 'home' ? 'home' : 'shared')}
          />
        )}
      </Field>
      <Field label={trans.__('Title')} hint={trans.__('What it is good for, to know it again. Work goes on while it is taken.')}>
        {id => <TextInput id={id} value={title} onChange={setTitle} placeholder={trans.__('before the clean-up')} autoFocus testId={TEST.snapshotTitle} />}
      </Field>
      {take.error && <ErrorBox error={take.error} />}
    </Modal>
  );
}

function RestoreDialog({ snapshot, onClose }: { snapshot: Snapshot; onClose: () => void }): JSX.Element {
  const { trans, client, session } = useStudio();
  const [inPlace, setInPlace] = useState(false);
  const [folder, setFolder] = useState(`restored-${new Date(snapshot.created_ms).toISOString().slice(0, 10)}`);
  const restore = useAction(async () => {
    await client.volume.restore(snapshot.id, inPlace ? { in_place: true } : { in_place: false, folder });
    onClose();
  });
  const mayReplace = snapshot.target === 'home' || session?.role === 'admin';
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind={inPlace ? 'danger' : 'primary'} disabled={restore.busy || (!inPlace && !folder)} testId={TEST.dialogAccept} onClick={() => void restore.run()}>
        {inPlace ? trans.__('Replace the folder') : trans.__('Restore')}
      </Button>
    </>
  );
  const name = snapshot.target === 'home' ? trans.__('your home') : trans.__('the shared folder');
  return (
    <Modal name="restore" title={trans.__('Restore %1', snapshot.title || snapshot.id)} width={480} onClose={onClose} footer={footer}>
      <fieldset className="jp-Studio-choiceList jp-mod-stacked">
        <label>
          <input type="radio" name="where" checked={!inPlace} onChange={() => setInPlace(false)} />
          <span>{trans.__('Beside what is there, as a new folder')}</span>
          <small>{trans.__('Nothing of today changes; take from it what you need.')}</small>
        </label>
        <label>
          <input type="radio" name="where" checked={inPlace} disabled={!mayReplace} onChange={() => setInPlace(true)} />
          <span>{trans.__('In place of %1', name)}</span>
          <small>{mayReplace ? trans.__('What is there now is kept as a snapshot first.') : trans.__('Only admins replace the shared folder.')}</small>
        </label>
      </fieldset>
      {!inPlace && <Field label={trans.__('Folder')}>{id => <TextInput id={id} value={folder} onChange={setFolder} mono />}</Field>}
      {restore.error && <ErrorBox error={restore.error} />}
    </Modal>
  );
}
