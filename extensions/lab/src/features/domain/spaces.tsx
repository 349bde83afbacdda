import { useState } from 'react';

import type { Space } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, DataTable, EmptyState, ErrorBox, Field, IColumn, Modal, Skeleton, Tag, TextInput } from '../../ui';
import { tellWithUndo } from '../../undo';
import { Failure, ISectionProps, Page } from './parts';

/** Places to work: each a folder and a JupyterLab workspace of its own. */
export function SpacesPage({ domain, acts }: ISectionProps): JSX.Element {
  const studio = useStudio();
  const { trans, client, session } = studio;
  const mayMake = session?.role !== 'viewer';
  const [trash, setTrash] = useState(false);
  const { data, error, refresh } = useResource(`spaces/${trash}`, c => c.volume.spaces(trash), { topics: ['spaces'] });
  const [creates, setCreates] = useState(acts && mayMake);
  const act = useAction(async (what: () => Promise<unknown>) => {
    await what();
    await refresh();
  });
  const open = useAction(async (space: Space) => {
    window.location.assign((await client.volume.openSpace(space.id)).address);
  });
  const discard = (space: Space): Promise<boolean> =>
    act.run(async () => {
      await client.volume.deleteSpace(space.id);
      tellWithUndo(studio, trans.__('%1 is in the trash, with its folder.', space.title || space.name), () => act.run(() => client.volume.restoreSpace(space.id)));
    });
  const columns = useColumns({
    trash,
    mayChange: space => mayMake && (space.kind === 'private' || space.made_by === session?.user || session?.role === 'admin'),
    open: space => void open.run(space),
    discard: space => void discard(space),
    restore: space => void act.run(() => client.volume.restoreSpace(space.id)),
    empty: space => void act.run(() => client.volume.emptySpace(space.id))
  });
  const create = mayMake && (
    <Button kind="primary" icon="plus" testId={TEST.spaceCreate} onClick={() => setCreates(true)}>
      {trans.__('New space')}
    </Button>
  );
  return (
    <Page
      name="spaces"
      title={trans.__('Spaces')}
      lead={trans.__('Places to work: each has its own folder and its own arrangement of tabs. A shared one is seen by every member, a private one only by you.')}
      aside={
        <>
          <Button kind="quiet" icon="trash" pressed={trash} onClick={() => setTrash(!trash)}>
            {trash ? trans.__('Back from the trash') : trans.__('Trash')}
          </Button>
          {!trash && data && data.length > 0 && create}
        </>
      }
    >
      {error && <Failure error={error} domain={domain} onRetry={() => void refresh()} />}
      {(act.error ?? open.error) && <ErrorBox error={(act.error ?? open.error) as Error} />}
      {!data && !error && <Skeleton rows={3} />}
      {data && data.length > 0 && <DataTable name="spaces" label={trans.__('Spaces')} columns={columns} rows={data} rowKey={space => space.id} fit={16} />}
      {data && data.length === 0 && trash && <p className="jp-Studio-hint">{trans.__('The trash is empty.')}</p>}
      {data && data.length === 0 && !trash && (
        <EmptyState
          icon="folder"
          testId={TEST.empty('spaces')}
          title={trans.__('No space yet')}
          text={trans.__('Make one for each thing you work on: its notebooks lie in one folder, and the lab opens as you left it.')}
          action={create}
          code={`studio space create rain --domain ${domain.name} --shared`}
        />
      )}
      {creates && <SpaceDialog onClose={() => (setCreates(false), void refresh())} />}
    </Page>
  );
}

interface IActs {
  trash: boolean;
  mayChange: (space: Space) => boolean;
  open: (space: Space) => void;
  discard: (space: Space) => void;
  restore: (space: Space) => void;
  empty: (space: Space) => void;
}

function useColumns({ trash, mayChange, open, discard, restore, empty }: IActs): IColumn<Space>[] {
  const { trans } = useStudio();
  return [
    { key: 'name', label: trans.__('Space'), width: 160, grow: 3, cell: space => <b title={space.title}>{space.title || space.name}</b> },
    { key: 'kind', label: trans.__('For'), width: 112, grow: 0, cell: space => <Tag>{space.kind === 'shared' ? trans.__('all members') : trans.__('you')}</Tag> },
    { key: 'path', label: trans.__('Folder'), width: 160, grow: 3, cell: space => <code title={space.path}>{space.path}</code> },
    { key: 'by', label: trans.__('Made by'), width: 80, cell: space => space.made_by },
    { key: 'at', label: trans.__('Made'), width: 100, grow: 0, cell: space => <Ago at={space.created_ms} /> },
    {
      key: 'act',
      label: '',
      width: 168,
      grow: 0,
      align: 'right',
      cell: space => (
        <span className="jp-Studio-inline">
          {trash ? (
            mayChange(space) && (
              <>
                <Button kind="quiet" onClick={() => restore(space)}>
                  {trans.__('Bring back')}
                </Button>
                <Button kind="quiet" title={trans.__('Removes its files for good')} onClick={() => empty(space)}>
                  {trans.__('Remove')}
                </Button>
              </>
            )
          ) : (
            <>
              <Button testId={TEST.spaceOpen(space.name)} onClick={() => open(space)}>
                {trans.__('Open')}
              </Button>
              {mayChange(space) && <Button kind="quiet" icon="trash" title={trans.__('Put %1 into the trash', space.name)} onClick={() => discard(space)} />}
            </>
          )}
        </span>
      )
    }
  ];
}

function SpaceDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const { trans, client } = useStudio();
  const [name, setName] = useState('');
  const [title, setTitle] = useState('');
  const [kind, setKind] = useState<Space['kind']>('private');
  const create = useAction(async () => {
    await client.volume.createSpace({ name, title, kind });
    onClose();
  });
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!name || create.busy} testId={TEST.dialogAccept} onClick={() => void create.run()}>
        {create.busy ? trans.__('Making…') : trans.__('Make space')}
      </Button>
    </>
  );
  return (
    <Modal name="space" title={trans.__('New space')} width={440} onClose={onClose} footer={footer}>
      <Field label={trans.__('Name')} hint={trans.__('Its folder is called so.')}>
        {id => <TextInput id={id} value={name} onChange={setName} placeholder={trans.__('rain')} autoFocus mono testId={TEST.spaceName} />}
      </Field>
      <Field label={trans.__('Title')}>{id => <TextInput id={id} value={title} onChange={setTitle} />}</Field>
      <div className="jp-Studio-modes" role="radiogroup" aria-label={trans.__('Who sees it')}>
        {(
          [
            ['private', trans.__('Private'), trans.__('In your home; only you see it.')],
            ['shared', trans.__('Shared'), trans.__('In the shared folder; all members work in it, viewers read.')]
          ] as const
        ).map(([value, label, text]) => (
          <label key={value} className={`jp-Studio-mode${value === kind ? ' jp-mod-active' : ''}`}>
            <input type="radio" name="kind" checked={value === kind} onChange={() => setKind(value)} />
            <span>
              <b>{label}</b>
            </span>
            <small>{text}</small>
          </label>
        ))}
      </div>
      {create.error && <ErrorBox error={create.error} />}
    </Modal>
  );
}
