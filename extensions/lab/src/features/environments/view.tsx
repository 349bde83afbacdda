import { useEffect, useState } from 'react';

import type { EnvironmentDetail } from '../../api/model';
import { formatBytes } from '../../format';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, ConfirmDialog, EmptyState, ErrorBox, Id, IMenuItem, LogView, Menu, Skeleton, StatusPill, Tabs, Tag, below } from '../../ui';
import { EditDialog, CloneDialog } from './dialogs';
import { Packages } from './packages';
import { Uses } from './uses';
import { Versions } from './versions';

type Tab = 'packages' | 'versions' | 'log' | 'uses';

interface IViewProps {
  name: string;
  onChosen: (name: string) => void;
  onAdd: () => void;
  onDeleted: () => void;
}

/** One environment: what is in it, how it came to be, what uses it, and what can be done. */
export function EnvironmentView({ name, onChosen, onAdd, onDeleted }: IViewProps): JSX.Element {
  const { trans, client } = useStudio();
  const [fast, setFast] = useState(false);
  const [tab, setTab] = useState<Tab>('packages');
  const { data: env, error, refresh } = useResource(`environment/${name}`, c => c.environments.get(name), { topics: ['environments', 'running', 'endpoints', 'jobs'], everyMs: fast ? 1000 : undefined });
  const building = env?.state === 'Building' || env?.state === 'Queued';
  useEffect(() => setFast(building), [building]);
  if (!env) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton rows={6} />;
  }
  const tabs: [Tab, string][] = [
    ['packages', trans.__('Packages')],
    ['versions', trans.__('Versions (%1)', env.versions.length)],
    ['uses', trans.__('Used by (%1)', env.uses.length)],
    ['log', trans.__('Build log')]
  ];
  return (
    <div className={`jp-Studio-stack${tab === 'log' ? ' jp-mod-fill' : ''}`}>
      <Head env={env} refresh={refresh} onChosen={onChosen} onAdd={onAdd} onDeleted={onDeleted} />
      {building && <Progress env={env} />}
      {env.error && <ErrorBox error={new Error(env.error)} title={env.is_ready ? trans.__('Version %1 could not be built; version %2 goes on being used', env.newest, env.current ?? 0) : trans.__('The build failed')} />}
      <Tabs tabs={tabs} active={tab} onSelect={setTab} testId={TEST.environmentTab} />
      {tab === 'packages' && <Packages env={env} />}
      {tab === 'versions' && <Versions env={env} refresh={refresh} />}
      {tab === 'uses' && <Uses env={env} />}
      {tab === 'log' &&
        (env.versions[0]?.state === 'NotBuilt' || !env.log ? (
          <EmptyState icon="environments" title={trans.__('No log')} text={trans.__('It was not built here: the store had it already, or nobody has asked for it yet.')} />
        ) : (
          <LogView source={`${name}/${env.newest}/${env.versions[0]?.created_ms ?? 0}/${building}`} read={offset => client.environments.log(name, env.newest, offset)} over={!building} testId={TEST.environmentLog} />
        ))}
    </div>
  );
}

interface IHeadProps extends Omit<IViewProps, 'name'> {
  env: EnvironmentDetail;
  refresh: () => Promise<void>;
}

function Head({ env, refresh, onChosen, onAdd, onDeleted }: IHeadProps): JSX.Element {
  const studio = useStudio();
  const { trans, client, session } = studio;
  const [menu, setMenu] = useState<{ x: number; y: number } | null>(null);
  const [dialog, setDialog] = useState<'clone' | 'edit' | 'delete' | null>(null);
  const act = useAction(async (what: () => Promise<unknown>) => {
    await what();
    await refresh();
  });
  const mayWrite = session?.role !== 'viewer';
  const canBuild = env.state === 'NotBuilt' || env.state === 'Failed';
  const isBuildable = canBuild && mayWrite && env.is_own;
  const items: IMenuItem[] = [
    { label: trans.__('Clone…'), icon: 'copy', isDisabled: !mayWrite, act: () => setDialog('clone') },
    { label: trans.__('Edit packages…'), icon: 'edit', isDisabled: !mayWrite || !env.is_own, title: env.is_own ? undefined : trans.__('One of the catalogue: clone it first'), act: () => setDialog('edit') },
    { label: trans.__('Make it the default'), icon: 'check', isDisabled: !mayWrite || !env.is_ready || env.is_default, title: trans.__('New notebooks, jobs and endpoints begin with it'), act: () => void act.run(() => client.environments.setDefault(env.name)) },
    { label: trans.__('Export the lock'), icon: 'download', begins: true, isDisabled: !env.hash, title: trans.__('A requirements file with hashes, for pip and uv'), act: () => download(client.environments.exportUrl(env.name, 'requirements')) },
    { label: trans.__('Export as TOML'), icon: 'download', title: trans.__('The definition, for a catalogue'), act: () => download(client.environments.exportUrl(env.name, 'toml')) },
    { label: trans.__('Delete…'), icon: 'trash', begins: true, isDanger: true, isDisabled: !mayWrite || !env.is_own, title: env.is_own ? undefined : trans.__('One of the catalogue'), act: () => setDialog('delete') }
  ];
  return (
    <>
      <div className="jp-Studio-detailHead">
        <h2>{env.name}</h2>
        <StatusPill state={env.state} testId={TEST.state(`environment-${env.name}`)} />
        {env.is_default && <Tag title={trans.__('New notebooks, jobs and endpoints begin with it')}>{trans.__('default')}</Tag>}
        <span className="jp-Studio-hint">{env.title !== env.name && env.title}</span>
        <span className="jp-Studio-spacer" />
        {isBuildable && (
          <Button disabled={act.busy} testId={TEST.environmentBuild(env.name)} onClick={() => void act.run(() => client.environments.build(env.name))}>
            {env.state === 'Failed' ? trans.__('Build again') : trans.__('Build')}
          </Button>
        )}
        {mayWrite && env.state === 'Failed' && env.is_own && (
          <Button icon="edit" onClick={() => setDialog('edit')}>
            {trans.__('Edit packages')}
          </Button>
        )}
        {mayWrite && !(env.state === 'Failed' && env.is_own) && (
          <Button icon="plus" testId={TEST.environmentAdd} onClick={onAdd}>
            {trans.__('Add packages')}
          </Button>
        )}
        <Button icon="more" title={trans.__('More')} testId={TEST.environmentMore} onClick={event => setMenu(below(event.currentTarget))} />
      </div>
      <Facts env={env} />
      {env.about && <p>{env.about}</p>}
      {canBuild && !env.is_own && <p className="jp-Studio-hint">{trans.__('Whoever runs this installation builds it: studio env build %1. Or clone it into the domain.', env.name)}</p>}
      {act.error && <ErrorBox error={act.error} />}
      {menu && <Menu name="environment" label={trans.__('What to do with %1', env.name)} {...menu} items={items} onClose={() => setMenu(null)} />}
      {dialog === 'clone' && <CloneDialog env={env} onClose={() => setDialog(null)} onDone={onChosen} />}
      {dialog === 'edit' && <EditDialog env={env} onClose={() => setDialog(null)} onDone={() => void refresh()} />}
      {dialog === 'delete' && <DeleteDialog env={env} onClose={() => setDialog(null)} onDeleted={onDeleted} />}
    </>
  );
}

function Facts({ env }: { env: EnvironmentDetail }): JSX.Element | null {
  const { trans } = useStudio();
  if (!env.current) {
    return null;
  }
  return (
    <div className="jp-Studio-hint jp-Studio-facts">
      <span>{trans.__('Version %1', env.current)}</span>
      <Id id={env.hash} />
      {env.size_bytes > 0 && <span>{formatBytes(env.size_bytes)}</span>}
      {env.built_ms && (
        <span>
          {trans.__('built')} <Ago at={env.built_ms} />
        </span>
      )}
      {env.created_by && <span>{trans.__('by %1', env.versions.find(version => version.number === env.current)?.created_by ?? env.created_by)}</span>}
    </div>
  );
}

function Progress({ env }: { env: EnvironmentDetail }): JSX.Element {
  const { trans } = useStudio();
  const { done, total, text } = env.progress;
  return (
    <div className="jp-Studio-progress" role="progressbar" aria-valuemin={0} aria-valuemax={total || undefined} aria-valuenow={total ? done : undefined} data-testid={TEST.environmentProgress}>
      <div>
        <i style={{ width: total ? `${(100 * done) / total}%` : '4%' }} />
      </div>
      <span>{text || trans.__('Waiting to start')}</span>
      <span>{total > 0 && `${Math.round((100 * done) / total)} %`}</span>
    </div>
  );
}

function DeleteDialog({ env, onClose, onDeleted }: { env: EnvironmentDetail; onClose: () => void; onDeleted: () => void }): JSX.Element {
  const { trans, client } = useStudio();
  const kernels = env.uses.filter(use => use.kind === 'kernel').length;
  const act = async (): Promise<void> => {
    await client.environments.delete(env.name);
    onDeleted();
  };
  return (
    <ConfirmDialog title={trans.__('Delete %1?', env.name)} verb={trans.__('Delete')} act={act} onClose={onClose}>
      <p>{trans.__('The name and its versions are forgotten; no new kernel, job or endpoint can start from it. Runs keep the hash that they were made with.')}</p>
      {kernels > 0 && <p>{trans._n('%1 kernel that runs from it goes on until it ends.', '%1 kernels that run from it go on until they end.', kernels)}</p>}
    </ConfirmDialog>
  );
}

function download(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.click();
}
