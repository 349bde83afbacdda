import type { Cost, Domain, Overview, RunningItem, Volume } from '../../api/model';
import { formatBytes, formatMoney } from '../../format';
import { useResource, useStudio } from '../../hooks';
import { Icon, IconName } from '../../icons';
import type { PanelName } from '../../tokens';
import { Ago, Bars, DataTable, ErrorBox, IColumn, Id, KeyValue, Link, Metric, Section, Skeleton, StatusPill, hue } from '../../ui';
import { KIND_ICONS, openRunning } from '../cost/parts';
import { ISectionProps, Page } from './parts';

const DAYS = 30;

/** What runs, what it costs, whether anything needs a look. */
export function OverviewPage({ domain }: ISectionProps): JSX.Element {
  const { trans } = useStudio();
  const overview = useResource('overview', client => client.home.overview(), { topics: ['runs', 'jobs', 'endpoints', 'alerts', 'models', 'datasets', 'running'], everyMs: 10000 });
  const cost = useResource(`cost/${DAYS}`, client => client.cost.cost(DAYS), { topics: ['running', 'cost'], everyMs: 30000 });
  const volume = useResource('volume', client => client.volume.get(), { topics: ['volumes'], everyMs: 30000 });
  const error = overview.error ?? cost.error;
  const currency = cost.data?.currency;
  return (
    <Page name="overview" title={trans.__('Overview')} lead={trans.__('What runs here, what it costs, and whether anything needs a look.')}>
      {error && <ErrorBox error={error} onRetry={() => void Promise.all([overview.refresh(), cost.refresh()])} />}
      <div className="jp-Studio-stats">
        <Metric label={trans.__('running')} value={overview.data ? String(overview.data.running.length) : '–'} />
        <Metric label={trans.__('today')} value={formatMoney(cost.data?.today, currency)} />
        <Metric label={trans.__('this month')} value={formatMoney(cost.data?.month, currency)} />
        <Metric label={trans.__('members')} value={String(domain.members.length)} />
      </div>
      {overview.data ? <Health domain={domain} overview={overview.data} volume={volume.data} /> : !error && <Skeleton rows={4} />}
      {overview.data && <Running items={overview.data.running} currency={currency} />}
      <div className="jp-Studio-columns2">
        {cost.data && <PerDay cost={cost.data} />}
        <About domain={domain} />
      </div>
    </Page>
  );
}

interface ILine {
  state: string;
  text: string;
  detail: string;
  panel: PanelName;
  item?: string;
}

function Health({ domain, overview, volume }: { domain: Domain; overview: Overview; volume: Volume | undefined }): JSX.Element {
  const studio = useStudio();
  const { trans, session } = studio;
  const isolated = domain.isolation !== 'none';
  const lines: ILine[] = [
    {
      state: isolated ? 'Isolated' : 'NotIsolated',
      text: trans.__('Isolation'),
      detail: isolated ? trans.__('Code here cannot reach other domains.') : (session?.isolation.detail ?? ''),
      panel: 'domain',
      item: 'isolation'
    },
    {
      state: overview.alerts ? 'Open' : 'Quiet',
      text: trans.__('Monitors'),
      detail: overview.alerts ? trans._n('%1 alert is open.', '%1 alerts are open.', overview.alerts) : trans.__('No alert is open.'),
      panel: 'monitors'
    },
    {
      state: overview.endpoints ? 'InService' : 'NoneYet',
      text: trans.__('Endpoints'),
      detail: trans._n('%1 endpoint.', '%1 endpoints.', overview.endpoints),
      panel: 'endpoints'
    },
    ...(volume ? [volumeLine(volume, trans)] : [])
  ];
  return (
    <Section title={trans.__('Health')}>
      <ul className="jp-Studio-healthList">
        {lines.map(line => (
          <li key={line.text}>
            <StatusPill state={line.state} />
            <Link onClick={() => studio.open(line.panel, line.item)}>{line.text}</Link>
            <span title={line.detail}>{line.detail}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** Whether there is room for what is to come. */
function volumeLine(volume: Volume, trans: ReturnType<typeof useStudio>['trans']): ILine {
  const used = formatBytes(volume.used_bytes);
  const room = volume.quota_mb ? trans.__('%1 of %2 in use.', used, formatBytes(volume.quota_mb * 1024 * 1024)) : trans.__('%1 in use, %2 free on this disk.', used, formatBytes(volume.disk_free_bytes));
  return { state: volume.over || volume.message ? 'Full' : 'Roomy', text: trans.__('Volume'), detail: volume.message || room, panel: 'domain', item: 'volume' };
}

function Running({ items, currency }: { items: RunningItem[]; currency?: string }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const columns: IColumn<RunningItem>[] = [
    {
      key: 'name',
      label: trans.__('What'),
      width: 160,
      grow: 3,
      cell: item => (
        <span className="jp-Studio-inline" title={item.name}>
          <Icon name={iconOf(item)} size={14} /> {item.name}
        </span>
      )
    },
    { key: 'kind', label: trans.__('Kind'), width: 88, cell: item => item.kind },
    { key: 'owner', label: trans.__('Whose'), width: 80, cell: item => item.owner },
    { key: 'since', label: trans.__('Since'), width: 100, cell: item => <Ago at={item.since_ms} /> },
    { key: 'memory', label: trans.__('Memory'), width: 76, align: 'right', cell: item => formatBytes(item.memory_bytes) },
    { key: 'price', label: trans.__('per hour'), width: 80, align: 'right', cell: item => formatMoney(item.price_per_hour, currency) }
  ];
  return (
    <Section title={trans.__('Running now')} aside={<Link onClick={() => studio.open('cost')}>{trans.__('Running & cost')}</Link>}>
      {items.length === 0 ? (
        <p className="jp-Studio-hint">{trans.__('Nothing. Kernels, jobs and endpoints of all members appear here.')}</p>
      ) : (
        <DataTable name="domain-running" label={trans.__('Running now')} columns={columns} rows={items} rowKey={item => item.id} onOpen={item => openRunning(studio, item)} fit={8} />
      )}
    </Section>
  );
}

function iconOf(item: RunningItem): IconName {
  return KIND_ICONS[item.kind] ?? 'clock';
}

function PerDay({ cost }: { cost: Cost }): JSX.Element {
  const { trans } = useStudio();
  return (
    <Section title={trans.__('Cost per day, %1 days', DAYS)}>
      <Bars
        label={trans.__('Cost per day')}
        height={120}
        groups={[{ name: trans.__('cost'), values: cost.daily.map(day => day.cost), color: hue(0) }]}
        labels={cost.daily.map(day => day.date.slice(5))}
        format={value => formatMoney(value, cost.currency)}
      />
    </Section>
  );
}

function About({ domain }: { domain: Domain }): JSX.Element {
  const { trans, session } = useStudio();
  return (
    <Section title={trans.__('This domain')}>
      <KeyValue
        items={[
          [trans.__('Name'), domain.name],
          [trans.__('Lab'), <Id key="lab" id={domain.address} whole />],
          [trans.__('For programs'), session?.address ? <Id key="id" id={session.address} whole /> : '–'],
          [trans.__('Shared folder'), <Id key="id" id={domain.shared_path} whole />],
          [trans.__('Studio'), session?.version ?? '–']
        ]}
      />
    </Section>
  );
}
