import { useState } from 'react';

import type { Environment } from '../../api/model';
import { formatBytes } from '../../format';
import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ChoiceList, EmptyState, ErrorBox, Panel, Skeleton, Split, StatusPill, Tag } from '../../ui';
import { AddDialog, NewDialog } from './dialogs';
import { EnvironmentView } from './view';
import { askedOf, grouped } from './words';

export function EnvironmentsPanel({ item }: { item: string }): JSX.Element {
  const { trans, session } = useStudio();
  const asked = askedOf(item);
  const { data, error, refresh } = useResource('environments', client => client.environments.list(), { topics: ['environments', 'running', 'endpoints', 'jobs'] });
  const [chosen, setChosen] = useState(asked.name);
  const [creates, setCreates] = useState(asked.creates);
  const [adds, setAdds] = useState(asked.add);
  const mayWrite = session?.role !== 'viewer';
  const active = data?.find(env => env.name === chosen) ?? data?.find(env => env.is_default) ?? data?.[0];
  const done = (name: string): void => {
    setChosen(name);
    void refresh();
  };
  return (
    <Panel
      name="environments"
      title={trans.__('Environments')}
      icon="environments"
      bare={!!active}
      code={active && `studio env add ${active.name} PACKAGE\nstudio run train.py --env ${active.name}\n\n# or from a notebook\nfrom studio.guest import sdk\nsdk.add_packages("PACKAGE", environment="${active.name}")`}
      actions={
        mayWrite && (
          <Button kind="primary" icon="plus" testId={TEST.environmentNew} onClick={() => setCreates(true)}>
            {trans.__('New environment')}
          </Button>
        )
      }
    >
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton />}
      {data && data.length === 0 && (
        <EmptyState
          icon="environments"
          testId={TEST.empty('environments')}
          title={trans.__('No environments')}
          text={trans.__('An environment is a locked set of packages that kernels, jobs and endpoints start from.')}
          code="studio env create analysis polars scikit-learn"
        />
      )}
      {data && active && (
        <Split width={272} list={<Lists all={data} active={active.name} onChoose={setChosen} />}>
          <EnvironmentView key={active.name} name={active.name} onChosen={done} onAdd={() => setAdds([])} onDeleted={() => done('')} />
        </Split>
      )}
      {creates && data && <NewDialog all={data} onClose={() => setCreates(false)} onDone={done} />}
      {adds && data && active && mayWrite && <AddDialog all={data} environment={active} packages={adds} onClose={() => setAdds(null)} onDone={done} />}
    </Panel>
  );
}

function Lists({ all, active, onChoose }: { all: Environment[]; active: string; onChoose: (name: string) => void }): JSX.Element {
  const { trans, session } = useStudio();
  const { own, shared } = grouped(all);
  return (
    <div className="jp-Studio-environmentLists">
      <h3>{trans.__('Of %1', session?.domain ?? '')}</h3>
      {own.length ? <Choices label={trans.__('Of the domain')} all={own} active={active} onChoose={onChoose} /> : <p className="jp-Studio-hint">{trans.__('None yet. Clone one of the catalogue, or make one: what is added is seen by this domain only.')}</p>}
      <h3>{trans.__('Catalogue')}</h3>
      <Choices label={trans.__('Catalogue')} all={shared} active={active} onChoose={onChoose} />
    </div>
  );
}

function Choices({ label, all, active, onChoose }: { label: string; all: Environment[]; active: string; onChoose: (name: string) => void }): JSX.Element {
  const { trans } = useStudio();
  const absent = (env: Environment): string => ({ Failed: trans.__('could not be built'), Building: trans.__('is being built'), Queued: trans.__('is being built') })[env.state] ?? env.title;
  const detail = (env: Environment): string =>
    [env.current ? trans.__('version %1', env.current) : absent(env), env.size_bytes ? formatBytes(env.size_bytes) : '', env.used_by ? trans._n('%1 use', '%1 uses', env.used_by) : ''].filter(Boolean).join(' · ');
  return (
    <ChoiceList
      label={label}
      active={active}
      onChoose={onChoose}
      items={all.map(env => ({
        key: env.name,
        title: (
          <span className="jp-Studio-inline">
            <span title={env.name}>{env.name}</span>
            {env.is_default && <Tag title={trans.__('New notebooks, jobs and endpoints begin with it')}>{trans.__('default')}</Tag>}
          </span>
        ),
        detail: detail(env),
        trail: <StatusPill state={env.state} compact />,
        testId: TEST.row('environments', env.name)
      }))}
    />
  );
}
