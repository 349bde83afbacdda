import { useEffect, useRef, useState } from 'react';

import type { Overview, Run, Session } from '../../api/model';
import { formatCount, formatMetric, formatMoney } from '../../format';
import { useResource, useStudio } from '../../hooks';
import { Icon, IconName } from '../../icons';
import { TEST } from '../../testids';
import type { PanelName } from '../../tokens';
import { Fade, StatusPill, Tag } from '../../ui';
import { openNewDomain } from '../domain/newdomain';
import { defaultKeys } from '../experiments/columns';

interface IEntry {
  panel: PanelName;
  icon: IconName;
  title: string;
  count?: string;
  alert?: boolean;
}

/** The left bar: where everything is, how much of it there is, and the newest runs as they move. */
export function Sidebar(): JSX.Element {
  const studio = useStudio();
  const { trans, session } = studio;
  const { data } = useResource('overview', client => client.home.overview(), { topics: ['runs', 'jobs', 'endpoints', 'alerts', 'models', 'datasets', 'running'], everyMs: 15000 });
  const jobs = useResource('jobs', client => client.jobs.list(), { topics: ['jobs'] });
  const live = jobs.data?.filter(job => job.state === 'Running' || job.state === 'Starting' || job.state === 'Queued').length ?? 0;
  const entries = entriesOf(trans, data, live);
  return (
    <div className="jp-Studio-sidebar" data-testid={TEST.sidebar}>
      {session && <DomainSwitcher session={session} />}
      <nav className="jp-Studio-entries" aria-label={trans.__('Studio')}>
        {entries.map(entry => (
          <button key={entry.panel} type="button" data-testid={TEST.entry(entry.panel)} onClick={() => studio.open(entry.panel)}>
            <Icon name={entry.icon} />
            <span>{entry.title}</span>
            {entry.count && (
              <em className={entry.alert ? 'jp-mod-alert' : undefined} data-testid={TEST.count(entry.panel)}>
                <Fade>{entry.count}</Fade>
              </em>
            )}
          </button>
        ))}
      </nav>
      <NewestRuns />
    </div>
  );
}

function entriesOf(trans: ReturnType<typeof useStudio>['trans'], o: Overview | undefined, live: number): IEntry[] {
  const some = (count: number | undefined): string | undefined => (count ? formatCount(count) : undefined);
  return [
    { panel: 'home', icon: 'home', title: trans.__('Home') },
    { panel: 'data', icon: 'data', title: trans.__('Data'), count: some(o?.datasets) },
    { panel: 'experiments', icon: 'experiments', title: trans.__('Experiments'), count: some(o?.runs) },
    { panel: 'jobs', icon: 'jobs', title: trans.__('Jobs'), count: live ? trans.__('%1 running', live) : undefined },
    { panel: 'models', icon: 'models', title: trans.__('Models'), count: some(o?.models) },
    { panel: 'endpoints', icon: 'endpoints', title: trans.__('Endpoints'), count: some(o?.endpoints) },
    { panel: 'monitors', icon: 'monitors', title: trans.__('Monitors'), count: o?.alerts ? trans._n('%1 alert', '%1 alerts', o.alerts) : undefined, alert: true },
    { panel: 'environments', icon: 'environments', title: trans.__('Environments') },
    { panel: 'domain', icon: 'domain', title: trans.__('Domain') },
    { panel: 'cost', icon: 'cost', title: trans.__('Running & cost'), count: o ? formatMoney(o.cost_today, o.currency) : undefined }
  ];
}

/** The domain one is in; another one is another address, opened in this tab. */
function DomainSwitcher({ session }: { session: Session }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) {
      return;
    }
    const close = (event: Event): void => {
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !root.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    document.addEventListener('mousedown', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('mousedown', close);
      document.removeEventListener('keydown', close);
    };
  }, [open]);
  return (
    <div className="jp-Studio-switcher" ref={root}>
      <button type="button" aria-haspopup="menu" aria-expanded={open} data-testid={TEST.domainSwitcher} onClick={() => setOpen(!open)}>
        <span className="jp-Studio-domainMark" aria-hidden="true">
          {session.domain.slice(0, 1)}
        </span>
        <span>
          <b title={session.domain}>{session.domain}</b>
          <small>
            {session.user} · {session.role}
          </small>
        </span>
        <Icon name="down" size={12} />
      </button>
      {open && (
        <div className="jp-Studio-menu" role="menu">
          {session.domains.map(domain => (
            <a
              key={domain.name}
              role="menuitem"
              href={domain.name === session.domain ? undefined : domain.address}
              aria-current={domain.name === session.domain}
              tabIndex={0}
              onClick={() => setOpen(false)}
            >
              <span>{domain.name}</span>
              <Tag>{domain.role}</Tag>
              {domain.name === session.domain && <Icon name="check" size={14} />}
            </a>
          ))}
          {session.operates ? (
            <button
              type="button"
              role="menuitem"
              onClick={() => {
                setOpen(false);
                openNewDomain(studio);
              }}
            >
              <Icon name="plus" size={14} />
              <span>{trans.__('New domain')}</span>
              <Icon name="external" size={12} />
            </button>
          ) : (
            session.domains.length < 2 && <p className="jp-Studio-hint">{trans.__('Who runs this installation makes other domains, and their admins add you.')}</p>
          )}
        </div>
      )}
    </div>
  );
}

function NewestRuns(): JSX.Element | null {
  const studio = useStudio();
  const { trans } = studio;
  const { data } = useResource('newest-runs', client => client.experiments.search({ max_results: 5, order_by: ['attributes.start_time DESC'] }), { topics: ['runs'] });
  if (!data || data.runs.length === 0) {
    return null;
  }
  return (
    <section className="jp-Studio-newest">
      <h3>{trans.__('Newest runs')}</h3>
      {data.runs.map(run => {
        const [key] = defaultKeys(Object.keys(run.metrics), 1);
        return (
          <button key={run.run_id} type="button" title={run.name} onClick={() => studio.open('run', run.run_id)}>
            <StatusPill state={run.status} compact />
            <span>{run.name}</span>
            {key && (
              <em title={key}>
                <small>{key}</small> <Fade>{value(run, key)}</Fade>
              </em>
            )}
          </button>
        );
      })}
    </section>
  );
}

function value(run: Run, key: string): string {
  return formatMetric(run.metrics[key]?.last);
}
