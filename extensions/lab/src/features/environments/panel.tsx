import { useEffect, useRef, useState } from 'react';

import type { Environment } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ChoiceList, EmptyState, ErrorBox, Id, Panel, Section, Skeleton, Split, StatusPill } from '../../ui';

export function EnvironmentsPanel({ item }: { item: string }): JSX.Element {
  const { trans } = useStudio();
  const { data, error, refresh } = useResource('environments', client => client.environments.list(), { topics: ['environments'] });
  const [chosen, setChosen] = useState(item);
  const active = data?.find(env => env.name === chosen) ?? data?.[0];
  return (
    <Panel name="environments" title={trans.__('Environments')} icon="environments" bare={!!active} code={active && `studio env build ${active.name}\nstudio run train.py --environment ${active.name}`}>
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton />}
      {data && data.length === 0 && (
        <EmptyState
          icon="environments"
          testId={TEST.empty('environments')}
          title={trans.__('No environments')}
          text={trans.__('An environment is a locked set of packages that kernels, jobs and endpoints start from.')}
          code="studio env list"
        />
      )}
      {data && active && (
        <Split
          width={224}
          list={
            <ChoiceList
              label={trans.__('Environments')}
              active={active.name}
              onChoose={setChosen}
              items={data.map(env => ({
                key: env.name,
                title: env.name,
                detail: env.title,
                trail: <StatusPill state={env.state} compact />,
                testId: TEST.row('environments', env.name)
              }))}
            />
          }
        >
          <EnvironmentView key={active.name} name={active.name} refreshList={refresh} />
        </Split>
      )}
    </Panel>
  );
}

function EnvironmentView({ name, refreshList }: { name: string; refreshList: () => Promise<void> }): JSX.Element {
  const { trans, client } = useStudio();
  const [fast, setFast] = useState(false);
  const { data: env, error, refresh } = useResource(`environment/${name}`, c => c.environments.get(name), { topics: ['environments'], everyMs: fast ? 1000 : undefined });
  const building = env?.state === 'Building' || env?.state === 'Queued';
  useEffect(() => setFast(building), [building]);
  const build = useAction(async () => {
    await client.environments.build(name);
    await Promise.all([refresh(), refreshList()]);
  });
  const [filter, setFilter] = useState('');
  if (!env) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton rows={6} />;
  }
  const packages = packagesOf(env);
  const shown = packages.filter(([pkg]) => pkg.includes(filter.toLowerCase()));
  const buildable = env.state === 'NotBuilt' || env.state === 'Failed';
  return (
    <div className="jp-Studio-stack">
      <div className="jp-Studio-detailHead">
        <h2>{env.name}</h2>
        <StatusPill state={env.state} testId={TEST.state(`environment-${name}`)} />
        <span className="jp-Studio-hint">
          {env.title} {env.hash && <Id id={env.hash} />}
        </span>
        <span className="jp-Studio-spacer" />
        {buildable && (
          <Button kind="primary" disabled={build.busy} testId={TEST.environmentBuild(name)} onClick={() => void build.run()}>
            {trans.__('Build')}
          </Button>
        )}
      </div>
      {build.error && <ErrorBox error={build.error} />}
      {env.error && <ErrorBox error={new Error(env.error)} title={trans.__('The build failed')} />}
      {building && <Progress env={env} />}
      {env.preload.length > 0 && (
        <Section title={trans.__('Imported once, forked from')}>
          <div className="jp-Studio-signature">
            {env.preload.map(module => (
              <span key={module} className="jp-Studio-chip">
                {module}
              </span>
            ))}
          </div>
        </Section>
      )}
      {packages.length > 0 && (
        <Section
          title={trans.__('Packages (%1)', packages.length)}
          aside={packages.length > 20 && <input className="jp-Studio-input jp-mod-small" data-filter="" value={filter} placeholder={trans.__('Filter')} aria-label={trans.__('Filter packages')} onChange={event => setFilter(event.target.value)} />}
        >
          <div className="jp-Studio-packages">
            {shown.map(([pkg, version]) => (
              <span key={pkg}>
                <span title={pkg}>{pkg}</span>
                <span>{version}</span>
              </span>
            ))}
          </div>
        </Section>
      )}
      {env.log && (building || env.state === 'Failed') && (
        <Section title={trans.__('Build log')}>
          <BuildLog text={env.log} />
        </Section>
      )}
    </div>
  );
}

function packagesOf(env: Environment): [string, string][] {
  return env.packages.map((item): [string, string] => {
    const [, name = item, version = ''] = /^([A-Za-z0-9._-]+)\s*(?:==)?\s*(.*)$/.exec(item) ?? [];
    return [name.toLowerCase(), version];
  });
}

function Progress({ env }: { env: Environment }): JSX.Element {
  const { trans } = useStudio();
  const { done, total, text } = env.progress;
  return (
    <div className="jp-Studio-progress" role="progressbar" aria-valuemin={0} aria-valuemax={total} aria-valuenow={done}>
      <div>
        <i style={{ width: total ? `${(100 * done) / total}%` : '4%' }} />
      </div>
      <span>{text || trans.__('Waiting to start')}</span>
      <span>{total > 0 && `${done} / ${total}`}</span>
    </div>
  );
}

function BuildLog({ text }: { text: string }): JSX.Element {
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [text]);
  return (
    <pre ref={box} className="jp-Studio-log" tabIndex={0}>
      {text}
    </pre>
  );
}
