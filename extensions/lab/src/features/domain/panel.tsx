import { useState } from 'react';

import type { Domain } from '../../api/model';
import { useResource, useStudio } from '../../hooks';
import { Ago, ErrorBox, Panel, Skeleton, Tag } from '../../ui';
import { AuditPage } from './audit';
import { EnvironmentsPage } from './environments';
import { IsolationPage } from './isolation';
import { KeysPage } from './keys';
import { LimitsPage } from './limits';
import { MembersPage } from './members';
import { SideNav } from './nav';
import { OverviewPage } from './overview';
import type { ISectionProps } from './parts';
import { SessionsPage } from './sessions';
import { SpacesPage } from './spaces';
import { VolumePage } from './volume';
import { PolicyPage } from './policy';
import { SectionName, wantedOf } from './sections';

const PAGES: Record<SectionName, (props: ISectionProps) => JSX.Element> = {
  overview: OverviewPage,
  members: MembersPage,
  keys: KeysPage,
  sessions: SessionsPage,
  policy: PolicyPage,
  audit: AuditPage,
  volume: VolumePage,
  spaces: SpacesPage,
  environments: EnvironmentsPage,
  limits: LimitsPage,
  isolation: IsolationPage
};

/** The domain: its people, rules, storage and the place where its code runs. `item` names a part, `policy` or `keys+`. */
export function DomainPanel({ item }: { item: string }): JSX.Element {
  const { trans, session } = useStudio();
  const { data, error, refresh } = useResource('domain', client => client.domain.get(), { topics: ['members'], everyMs: 30000 });
  const wanted = wantedOf(item);
  const [active, setActive] = useState(wanted.section);
  const View = PAGES[active];
  return (
    <Panel
      name="domain"
      title={data?.title || data?.name || session?.domain || ''}
      icon="domain"
      aside={session && <Tag title={trans.__('Your role')}>{session.role}</Tag>}
      subtitle={data && <Subtitle domain={data} />}
      bare
    >
      <div className="jp-Studio-settings">
        <SideNav active={active} onChoose={setActive} />
        <div className="jp-Studio-settingsMain">
          {error && !data && <ErrorBox error={error} onRetry={() => void refresh()} />}
          {!data && !error && <Skeleton rows={6} />}
          {data && <View key={active} domain={data} refresh={refresh} acts={wanted.acts && wanted.section === active} />}
        </div>
      </div>
    </Panel>
  );
}

function Subtitle({ domain }: { domain: Domain }): JSX.Element {
  const { trans } = useStudio();
  return (
    <>
      <span>{domain.name}</span>
      <span>{trans._n('%1 member', '%1 members', domain.members.length)}</span>
      <span>
        {trans.__('made')} <Ago at={domain.created_ms} />
      </span>
    </>
  );
}
