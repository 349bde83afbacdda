import { useState } from 'react';

import type { Monitor } from '../../api/model';
import { formatCount } from '../../format';
import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, DataTable, EmptyState, ErrorBox, IColumn, Link, Panel, Skeleton, StatusPill } from '../../ui';
import { Icon } from '../../icons';
import { Why } from './why';

export function MonitorsPanel({ item }: { item: string }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { data, error, refresh } = useResource('monitors', client => client.monitors.list(), { topics: ['alerts', 'monitors', 'endpoints'], everyMs: 10000 });
  const alerts = useResource('alerts', client => client.monitors.alerts(), { topics: ['alerts'] });
  const [chosen, setChosen] = useState(item);
  // A link may name the alert; its monitor is what is opened.
  const endpoint = data?.some(monitor => monitor.endpoint === chosen) ? chosen : alerts.data?.find(alert => alert.id === chosen)?.endpoint;

  const columns: IColumn<Monitor>[] = [
    {
      key: 'endpoint',
      label: trans.__('Endpoint'),
      width: 180,
      cell: m => (
        <span data-testid={TEST.monitor(m.endpoint)}>
          <b>{m.endpoint}</b>
        </span>
      )
    },
    { key: 'state', label: trans.__('State'), width: 120, grow: 0, cell: m => <StatusPill state={m.state} testId={TEST.state(`monitor-${m.endpoint}`)} /> },
    { key: 'columns', label: trans.__('Drifted columns'), width: 220, grow: 2, cell: m => m.columns.join(', ') || '–' },
    { key: 'rows', label: trans.__('Rows in window'), width: 120, align: 'right', cell: m => formatCount(m.window?.rows) },
    { key: 'checked', label: trans.__('Last check'), width: 108, align: 'right', cell: m => <Ago at={m.checked_ms} /> },
    {
      key: 'why',
      label: '',
      width: 72,
      grow: 0,
      align: 'right',
      cell: m => (
        <Button testId={TEST.monitorWhy(m.endpoint)} onClick={event => (event.stopPropagation(), setChosen(m.endpoint))}>
          {trans.__('Why')}
        </Button>
      )
    }
  ];
  const title = endpoint ? (
    <>
      <Link onClick={() => setChosen('')}>{trans.__('Monitors')}</Link>
      <Icon name="chevron" size={12} />
      <span>{endpoint}</span>
    </>
  ) : (
    trans.__('Monitors')
  );
  const monitor = data?.find(m => m.endpoint === endpoint);
  return (
    <Panel name="monitors" title={title} icon="monitors" aside={monitor && <StatusPill state={monitor.state} />}>
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton />}
      {data && data.length === 0 && (
        <EmptyState
          icon="monitors"
          testId={TEST.empty('monitors')}
          title={trans.__('Nothing to watch yet')}
          text={trans.__('Every endpoint gets a monitor by itself: its captured rows are compared with the training data, and an alert names the columns that moved.')}
          action={
            <Button kind="primary" icon="endpoints" onClick={() => studio.open('endpoints')}>
              {trans.__('Go to endpoints')}
            </Button>
          }
          code={'from studio.guest import sdk\n\nsdk.alerts()'}
        />
      )}
      {data && data.length > 0 && !endpoint && (
        <DataTable name="monitors" label={trans.__('Monitors')} columns={columns} rows={data} rowKey={m => m.endpoint} onOpen={m => setChosen(m.endpoint)} fit={20} />
      )}
      {endpoint && <Why key={endpoint} endpoint={endpoint} />}
    </Panel>
  );
}
