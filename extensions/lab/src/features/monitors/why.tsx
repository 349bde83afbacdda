import { useState } from 'react';

import type { DriftColumn, MonitorDetail } from '../../api/model';
import { formatCount, formatNumber, formatPercent } from '../../format';
import { useAction, useResource, useStudio } from '../../hooks';
import { newNotebook } from '../../notebooks';
import { TEST } from '../../testids';
import { Bars, Button, ErrorBox, Legend, LineChart, Section, Skeleton } from '../../ui';
import { sharesOf } from '../../ui/scale';
import { RowTable } from '../data/dataset';

const REFERENCE = 'var(--jp-Studio-muted)';
const CURRENT = 'var(--jp-Studio-hue0)';
const DRIFTED = 'var(--jp-warn-color1)';

/** Why a monitor says what it says: each column then and now, its history, and the rows behind it. */
export function Why({ endpoint }: { endpoint: string }): JSX.Element {
  const studio = useStudio();
  const { trans, client } = studio;
  const { data, error, refresh } = useResource(`monitor/${endpoint}`, c => c.monitors.get(endpoint), { topics: ['alerts', 'monitors'], everyMs: 10000 });
  const check = useAction(async () => {
    await client.monitors.check(endpoint);
    await refresh();
  });
  if (!data) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton rows={8} />;
  }
  const checks = [...data.checks].sort((a, b) => b.at_ms - a.at_ms);
  const newest = checks[0];
  const columns = [...(newest?.columns ?? [])].sort((a, b) => (b.psi ?? -1) - (a.psi ?? -1));
  return (
    <div className="jp-Studio-stack">
      <div className="jp-Studio-verdict">
        <p>{verdict(data, trans)}</p>
        <Button disabled={check.busy} testId={TEST.monitorCheck} onClick={() => void check.run()}>
          {check.busy ? trans.__('Checking…') : trans.__('Check now')}
        </Button>
        <Button icon="dashboard" onClick={() => studio.open('dashboard', `drift?endpoint=${endpoint}`)}>
          {trans.__('Open the report')}
        </Button>
      </div>
      {check.error && <ErrorBox error={check.error} />}
      {data.error && <ErrorBox error={new Error(data.error)} title={trans.__('The last check failed')} />}
      {newest && (
        <>
          <Section
            title={trans.__('Columns, then and now')}
            aside={
              <Legend
                series={[
                  { name: trans.__('training data (%1 rows)', formatCount(data.baseline?.rows)), points: [], color: REFERENCE },
                  { name: trans.__('now (%1 rows)', formatCount(newest.rows)), points: [], color: CURRENT },
                  { name: trans.__('now, drifted'), points: [], color: DRIFTED }
                ]}
              />
            }
          >
            <div className="jp-Studio-driftGrid">
              {columns.map(column => (
                <ColumnCard key={column.name} column={column} />
              ))}
            </div>
          </Section>
          {checks.length > 1 && <History data={data} />}
        </>
      )}
      {data.alert_id && <AlertRows id={data.alert_id} columns={data.columns} />}
    </div>
  );
}

function verdict(data: MonitorDetail, trans: ReturnType<typeof useStudio>['trans']): string {
  const rows = formatCount(data.window?.rows ?? 0);
  switch (data.state) {
    case 'Drift':
      return trans.__('%1 moved away from the training data: PSI is above %2 in the newest %3 rows.', data.columns.join(', '), data.threshold, rows);
    case 'Quiet':
      return trans.__('The newest %1 rows look like the training data: no column is above PSI %2.', rows, data.threshold);
    case 'NoBaseline':
      return trans.__('There is no training data to compare with. Call sdk.log_baseline(X_train) in the run that trains, and deploy that version.');
    default:
      return trans.__('Too few rows yet: %1 wait, a window has at least %2. Rows are captured with every request.', formatCount(data.pending), data.least_rows);
  }
}

function ColumnCard({ column }: { column: DriftColumn }): JSX.Element {
  const { trans } = useStudio();
  const { threshold } = column;
  const missing = column.missing_current - column.missing_reference;
  return (
    <article className={`jp-Studio-driftCard${column.drifted ? ' jp-mod-drifted' : ''}`} data-testid={TEST.driftColumn(column.name)} data-drifted={column.drifted}>
      <header>
        <b title={column.name}>
          {column.drifted && '▲ '}
          {column.name}
        </b>
        <span className="jp-Studio-psi" title={trans.__('Population stability index; drift from %1 on', threshold)}>
          {trans.__('PSI %1', formatNumber(column.psi === null ? null : Number(column.psi.toPrecision(3))))}
        </span>
      </header>
      <div className="jp-Studio-psiBar" aria-hidden="true">
        <i style={{ width: `${Math.min(100, ((column.psi ?? 0) / (2 * threshold)) * 100)}%` }} />
        <em />
      </div>
      <Bars
        height={96}
        label={trans.__('%1: training data and now', column.name)}
        groups={[
          { name: trans.__('training'), values: sharesOf(column.reference), color: REFERENCE },
          { name: trans.__('now'), values: sharesOf(column.current), color: column.drifted ? DRIFTED : CURRENT, outline: true }
        ]}
        labels={labelsOf(column)}
        format={share => formatPercent(share)}
      />
      {missing > 0.005 && <div className="jp-Studio-hint">{trans.__('missing: %1, was %2', formatPercent(column.missing_current), formatPercent(column.missing_reference))}</div>}
    </article>
  );
}

/** Names of the bins: categories, or the lower edge of each range (the outer ones are open). */
export function labelsOf(column: Pick<DriftColumn, 'edges' | 'categories' | 'reference'>): string[] {
  if (column.categories?.length) {
    return column.categories;
  }
  const edges = column.edges ?? [];
  const inner = edges.length === column.reference.length - 1;
  const text = (edge: number | null | undefined): string => (edge === null || edge === undefined ? '' : formatNumber(Number(edge.toPrecision(3))));
  return column.reference.map((_, i) => {
    const low = inner ? edges[i - 1] : edges[i];
    return text(low) || `< ${text(inner ? edges[i] : edges[i + 1])}`;
  });
}

function History({ data }: { data: MonitorDetail }): JSX.Element {
  const { trans } = useStudio();
  const checks = [...data.checks].sort((a, b) => a.at_ms - b.at_ms);
  const names = [...new Set(checks.flatMap(check => check.columns.filter(c => c.drifted).map(c => c.name)))];
  const shown = names.length ? names : (checks[checks.length - 1]?.columns.slice(0, 4).map(c => c.name) ?? []);
  const series = shown.slice(0, 7).map((name, hue) => ({
    name,
    hue,
    points: checks.map((check): [number, number] => [check.at_ms, check.columns.find(c => c.name === name)?.psi ?? NaN])
  }));
  return (
    <Section title={trans.__('PSI over time')}>
      <LineChart series={series} height={180} zero label={trans.__('PSI over time')} xFormat={at => clock(at)} level={{ y: data.threshold, text: trans.__('threshold %1', data.threshold) }} />
    </Section>
  );
}

function clock(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}

function AlertRows({ id, columns }: { id: string; columns: string[] }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { data, error, refresh } = useResource(`alert-rows/${id}`, client => client.monitors.alertRows(id), { topics: ['alerts'] });
  const [opening, setOpening] = useState(false);
  const open = async (): Promise<void> => {
    setOpening(true);
    try {
      await newNotebook(studio, data?.code ?? '');
    } finally {
      setOpening(false);
    }
  };
  return (
    <Section
      title={trans.__('Rows behind the alert')}
      aside={
        <Button kind="primary" icon="notebook" disabled={!data?.code || opening} testId={TEST.openRows} onClick={() => void open()}>
          {trans.__('Open rows in a notebook')}
        </Button>
      }
    >
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton />}
      {data && <RowTable name="alert-rows" columns={data.columns} rows={data.rows} ids={data.row_ids} marked={new Set(columns)} />}
    </Section>
  );
}
