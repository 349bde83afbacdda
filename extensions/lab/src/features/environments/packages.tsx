import { useState } from 'react';

import type { EnvironmentDetail } from '../../api/model';
import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { EmptyState, ErrorBox, Section, Skeleton } from '../../ui';
import { nameOf } from './words';

/** What was asked for, and what came of it: every package with its locked version. */
export function Packages({ env }: { env: EnvironmentDetail }): JSX.Element {
  const { trans } = useStudio();
  return (
    <>
      <Section title={trans.__('Asked for')}>
        {env.packages.length === 0 && <p className="jp-Studio-hint">{trans.__('Nothing but what every kernel needs.')}</p>}
        <Chips items={env.packages} />
      </Section>
      {env.preload.length > 0 && (
        <Section title={trans.__('Imported once, forked from')}>
          <Chips items={env.preload} />
        </Section>
      )}
      <Locked env={env} />
    </>
  );
}

export function Chips({ items }: { items: readonly string[] }): JSX.Element {
  return (
    <div className="jp-Studio-signature">
      {items.map(text => (
        <span key={text} className="jp-Studio-chip">
          {text}
        </span>
      ))}
    </div>
  );
}

function Locked({ env }: { env: EnvironmentDetail }): JSX.Element | null {
  const { trans } = useStudio();
  const number = env.current ?? env.newest;
  const [filter, setFilter] = useState('');
  const { data, error, refresh } = useResource(`environment/${env.name}/${number}/${env.state}`, c => c.environments.version(env.name, number), { topics: [] });
  if (!data) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton rows={6} />;
  }
  if (data.locked.length === 0) {
    return env.state === 'NotBuilt' ? <EmptyState icon="environments" title={trans.__('Not built')} text={trans.__('Its versions are chosen and locked with their hashes when it is built for the first time.')} /> : null;
  }
  const asked = new Set(env.packages.map(nameOf));
  const shown = data.locked.filter(pin => pin.name.includes(filter.toLowerCase()));
  return (
    <Section
      title={trans.__('Locked (%1)', data.locked.length)}
      aside={<input className="jp-Studio-input jp-mod-small" data-filter="" value={filter} placeholder={trans.__('Filter')} aria-label={trans.__('Filter packages')} onChange={event => setFilter(event.target.value)} />}
    >
      <div className="jp-Studio-packages" data-testid={TEST.environmentLocked}>
        {shown.map(pin => (
          <span key={pin.name} className={asked.has(nameOf(pin.name)) ? 'jp-mod-asked' : undefined}>
            <span title={pin.name}>{pin.name}</span>
            <span>{pin.version}</span>
          </span>
        ))}
      </div>
      {shown.length === 0 && <p className="jp-Studio-hint">{trans.__('No package of that name.')}</p>}
    </Section>
  );
}
