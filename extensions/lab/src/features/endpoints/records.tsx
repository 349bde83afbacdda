import type { CapturedRows, Endpoint } from '../../api/model';
import { formatExact, formatNumber } from '../../format';
import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, DataTable, EmptyState, ErrorBox, IColumn, Skeleton, Tag } from '../../ui';
import { newNotebook } from '../../notebooks';

type Row = CapturedRows['rows'][number];

/** What was asked and answered, the newest first. */
export function Captures({ name }: { name: string }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { data, error, refresh } = useResource(`captures/${name}`, client => client.endpoints.captures(name, 200), { topics: ['endpoints', 'alerts'], everyMs: 5000 });
  if (!data) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton />;
  }
  const code = `from studio.guest import sdk\n\nrows = sdk.captures("${name}")`;
  if (data.rows.length === 0) {
    return <EmptyState icon="endpoints" testId={TEST.empty('captures')} title={trans.__('No requests yet')} text={trans.__('Every request and its answer is kept here, for the monitor and for you. They appear some seconds after they were made.')} code={code} />;
  }
  const columns: IColumn<Row>[] = [
    { key: 'at', label: trans.__('Asked'), width: 96, grow: 0, cell: row => <Ago at={row.at_ms} /> },
    { key: 'output', label: trans.__('Answer'), width: 92, cell: row => outputText(row.output) },
    { key: 'latency', label: trans.__('ms'), width: 64, grow: 0, align: 'right', cell: row => formatNumber(row.latency_ms === null ? null : Number(row.latency_ms.toPrecision(3))) },
    { key: 'variant', label: trans.__('Variant'), width: 108, grow: 0, cell: row => <VariantCell row={row} /> },
    { key: 'status', label: trans.__('Status'), width: 68, grow: 0, align: 'right', cell: row => <span className={row.status >= 400 ? 'jp-Studio-invalidText' : undefined}>{row.status}</span> },
    ...(data.rows.some(row => row.truth !== null) ? [{ key: 'truth', label: trans.__('Truth'), width: 72, cell: (row: Row) => cellText(row.truth) }] : []),
    ...data.columns.map(
      (column): IColumn<Row> => ({
        key: `in.${column}`,
        label: column,
        width: Math.max(76, Math.min(150, column.length * 8 + 20)),
        align: data.rows.some(row => typeof row.inputs[column] === 'number') ? 'right' : undefined,
        cell: row => {
          return cellText(row.inputs[column]);
        }
      })
    )
  ];
  return (
    <div className="jp-Studio-stack">
      <div className="jp-Studio-between">
        <span className="jp-Studio-hint">{trans._n('the newest row', 'the newest %1 rows', data.rows.length)}</span>
        <Button icon="notebook" onClick={() => void newNotebook(studio, code)}>
          {trans.__('Open in a notebook')}
        </Button>
      </div>
      <DataTable name="captures" label={trans.__('Captured rows')} columns={columns} rows={data.rows} rowKey={row => `${row.id}${row.variant}`} fit={16} />
    </div>
  );
}

function VariantCell({ row }: { row: Row }): JSX.Element {
  const { trans } = useStudio();
  return (
    <span className="jp-Studio-inline" title={row.variant}>
      {`v${row.version}`}
      {row.shadow && <Tag title={trans.__('The answer of a shadow: nobody was given it')}>{trans.__('shadow')}</Tag>}
    </span>
  );
}

function cellText(value: unknown): string {
  return typeof value === 'number' ? formatNumber(value) : typeof value === 'string' ? value : value === null || value === undefined ? '–' : JSON.stringify(value);
}

function outputText(output: unknown): string {
  const value = Array.isArray(output) && output.length === 1 ? (output as unknown[])[0] : output;
  return typeof value === 'number' ? formatNumber(value) : typeof value === 'string' ? value : JSON.stringify(value);
}

/** Why the endpoint is as it is. */
export function Events({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  const { trans } = useStudio();
  const events = [...endpoint.events].sort((a, b) => b.at_ms - a.at_ms);
  if (events.length === 0) {
    return <p className="jp-Studio-hint">{trans.__('Nothing has happened yet.')}</p>;
  }
  return (
    <ol className="jp-Studio-events">
      {events.map(event => (
        <li key={`${event.at_ms}${event.text}`}>
          <time title={formatExact(event.at_ms)}>
            <Ago at={event.at_ms} />
          </time>
          <div>
            {event.text}
            {event.detail &&
              (event.detail.includes('\n') ? (
                <details>
                  <summary>{trans.__('Traceback')}</summary>
                  <pre>{event.detail}</pre>
                </details>
              ) : (
                <span className="jp-Studio-hint"> {event.detail}</span>
              ))}
          </div>
        </li>
      ))}
    </ol>
  );
}
