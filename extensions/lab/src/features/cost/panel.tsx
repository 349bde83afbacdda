import type { Cost, CostShare, InstanceType, RunningItem } from '../../api/model';
import { formatBytes, formatDuration, formatMoney, formatNumber } from '../../format';
import { useNow, useResource, useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { Ago, Bars, DataTable, EmptyState, ErrorBox, IColumn, Metric, Panel, Section, Skeleton, hue } from '../../ui';
import { KIND_ICONS, StopAll, StopButton } from './parts';

export function CostPanel(): JSX.Element {
  const { trans, session } = useStudio();
  const running = useResource('running', client => client.cost.running(), { topics: ['running', 'jobs', 'endpoints'], everyMs: 3000 });
  const cost = useResource('cost', client => client.cost.cost(), { topics: ['running', 'cost'], everyMs: 15000 });
  const stoppable = running.data?.filter(item => item.stoppable).length ?? 0;
  const refresh = async (): Promise<void> => {
    await Promise.all([running.refresh(), cost.refresh()]);
  };
  const perHour = (running.data ?? []).reduce((sum, item) => sum + item.price_per_hour, 0);
  const currency = cost.data?.currency ?? session?.currency;
  return (
    <Panel name="cost" title={trans.__('Running & cost')} icon="cost" actions={stoppable > 0 && <StopAll count={stoppable} onDone={refresh} />}>
      {running.error && <ErrorBox error={running.error} onRetry={() => void running.refresh()} />}
      <div className="jp-Studio-stats">
        <Metric label={trans.__('today')} value={formatMoney(cost.data?.today, currency)} testId={TEST.costToday} />
        <Metric label={trans.__('this month')} value={formatMoney(cost.data?.month, currency)} />
        <Metric label={trans.__('now, per hour')} value={formatMoney(perHour, currency)} />
        <Metric label={trans.__('running')} value={String(running.data?.length ?? '–')} />
      </div>
      <Section title={trans.__('Running now')}>
        {!running.data && !running.error && <Skeleton />}
        {running.data && <Running items={running.data} currency={currency} refresh={refresh} />}
      </Section>
      {cost.data && <Spent cost={cost.data} />}
      <Prices currency={currency} />
    </Panel>
  );
}

function Running({ items, currency, refresh }: { items: RunningItem[]; currency?: string; refresh: () => Promise<void> }): JSX.Element {
  const { trans } = useStudio();
  const now = useNow(5000);
  if (items.length === 0) {
    return <EmptyState icon="cost" testId={TEST.empty('cost')} title={trans.__('Nothing runs')} text={trans.__('Kernels, jobs and endpoints appear here with what they use and cost, each with a button to stop it.')} code={'from studio.guest import sdk\n\nsdk.session()'} />;
  }
  const columns: IColumn<RunningItem>[] = [
    {
      key: 'name',
      label: trans.__('What'),
      width: 180,
      grow: 3,
      cell: item => (
        <span className="jp-Studio-inline" title={item.name}>
          <Icon name={KIND_ICONS[item.kind] ?? 'clock'} size={14} /> {item.name}
        </span>
      )
    },
    { key: 'kind', label: trans.__('Kind'), width: 96, cell: item => item.kind },
    { key: 'owner', label: trans.__('Whose'), width: 80, cell: item => item.owner },
    { key: 'since', label: trans.__('Since'), width: 92, cell: item => <Ago at={item.since_ms} /> },
    { key: 'memory', label: trans.__('Memory'), width: 80, align: 'right', cell: item => formatBytes(item.memory_bytes) },
    { key: 'cpu', label: trans.__('CPU, %'), width: 64, align: 'right', cell: item => formatNumber(item.cpu_percent === null ? null : Math.round(item.cpu_percent * 10) / 10) },
    { key: 'idle', label: trans.__('Idle for'), width: 84, align: 'right', cell: item => (item.idle_s === null || item.idle_s < 5 ? '–' : formatDuration(item.idle_s * 1000)) },
    { key: 'price', label: trans.__('per hour'), width: 84, align: 'right', cell: item => formatMoney(item.price_per_hour, currency) },
    { key: 'cost', label: trans.__('so far'), width: 84, align: 'right', cell: item => <span title={formatDuration(now - item.since_ms)}>{formatMoney(item.cost, currency)}</span> },
    { key: 'act', label: '', width: 80, grow: 0, align: 'right', cell: item => item.stoppable && <StopButton item={item} onDone={refresh} /> }
  ];
  return <DataTable name="running" label={trans.__('Running now')} columns={columns} rows={items} rowKey={item => item.id} fit={14} />;
}

function Spent({ cost }: { cost: Cost }): JSX.Element {
  const { trans } = useStudio();
  return (
    <div className="jp-Studio-columns2">
      <Section title={trans.__('Per day')}>
        <Bars
          label={trans.__('Cost per day')}
          height={140}
          groups={[{ name: trans.__('cost'), values: cost.daily.map(day => day.cost), color: hue(0) }]}
          labels={cost.daily.map(day => day.date.slice(5))}
          format={value => formatMoney(value, cost.currency)}
        />
      </Section>
      <div className="jp-Studio-columns2">
        <Share title={trans.__('By kind')} shares={cost.by_kind} currency={cost.currency} />
        <Share title={trans.__('By user')} shares={cost.by_user} currency={cost.currency} />
      </div>
    </div>
  );
}

function Share({ title, shares, currency }: { title: string; shares: CostShare[]; currency: string }): JSX.Element {
  const sorted = [...shares].sort((a, b) => b.cost - a.cost).slice(0, 6);
  const most = Math.max(1e-9, ...sorted.map(share => share.cost));
  return (
    <Section title={title}>
      {sorted.map(({ name, cost }) => (
        <div key={name} className="jp-Studio-topValue" title={`${name}: ${formatMoney(cost, currency)}`}>
          <i style={{ width: `${(100 * cost) / most}%` }} />
          <span>{name}</span>
          <span>{formatMoney(cost, currency)}</span>
        </div>
      ))}
    </Section>
  );
}

/** Prices of instance types; nothing in a lab may change them. */
function Prices({ currency }: { currency?: string }): JSX.Element {
  const { trans } = useStudio();
  const { data, error, refresh } = useResource('instance-types', client => client.cost.instanceTypes(), { topics: [] });
  const columns: IColumn<InstanceType>[] = [
    { key: 'name', label: trans.__('Instance type'), width: 140, grow: 2, cell: type => type.name },
    { key: 'cpu', label: trans.__('CPU'), width: 64, align: 'right', cell: type => formatNumber(type.cpu) },
    { key: 'memory', label: trans.__('Memory, GB'), width: 96, align: 'right', cell: type => formatNumber(Math.round(type.memory_mb / 102.4) / 10) },
    { key: 'gpu', label: trans.__('GPU'), width: 64, align: 'right', cell: type => formatNumber(type.gpu) },
    { key: 'price', label: trans.__('Price per hour, %1', currency ?? ''), width: 160, align: 'right', cell: type => String(type.price_per_hour) }
  ];
  return (
    <Section title={trans.__('Prices')} aside={<span className="jp-Studio-hint">{trans.__('Who runs this installation sets them: studio instance-type set NAME --price')}</span>}>
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {data && <DataTable name="prices" label={trans.__('Prices')} columns={columns} rows={data} rowKey={type => type.name} fit={12} />}
    </Section>
  );
}
