import { useState } from 'react';

import type { Cell, ColumnProfile, DataSetDetail } from '../../api/model';
import { formatBytes, formatCount, formatNumber, formatPercent } from '../../format';
import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Bars, DataTable, ErrorBox, IColumn, Id, Skeleton, StatusPill, Tabs, Tag, hue } from '../../ui';

type View = 'columns' | 'rows' | 'versions';

/** One data set: its columns at a glance, its first rows, its versions. */
export function DataSetView({ name }: { name: string }): JSX.Element {
  const { trans } = useStudio();
  const { data, error, refresh } = useResource(`dataset/${name}`, client => client.data.get(name), { topics: ['datasets'] });
  const [view, setView] = useState<View>('columns');
  if (!data) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton rows={8} />;
  }
  const profile = data.profile;
  return (
    <div className="jp-Studio-stack">
      <div className="jp-Studio-detailHead">
        <h2>{data.name}</h2>
        <Tag title={trans.__('Version')}>{data.version === null ? '–' : `v${data.version}`}</Tag>
        <StatusPill state={data.state} testId={TEST.state(`dataset-${name}`)} />
        <span className="jp-Studio-hint">
          <code>{data.path}</code> · {trans.__('%1 rows', formatCount(data.rows))} · {formatBytes(data.bytes)} · {data.hash && <Id id={data.hash} />}
        </span>
      </div>
      {data.state === 'Failed' && data.error && <ErrorBox error={new Error(data.error)} title={trans.__('This file could not be read')} />}
      {data.state === 'Profiling' && !profile && <Skeleton rows={6} />}
      {profile && (
        <>
          <Tabs
            tabs={[
              ['columns', trans.__('Columns (%1)', profile.columns.length)],
              ['rows', trans.__('Rows')],
              ['versions', trans.__('Versions (%1)', data.versions.length)]
            ]}
            active={view}
            onSelect={setView}
          />
          {view === 'columns' && (
            <div className="jp-Studio-profile" role="table" aria-label={trans.__('Columns')}>
              {profile.columns.map(column => (
                <Column key={column.name} column={column} rows={profile.row_count} />
              ))}
            </div>
          )}
          {view === 'rows' && <RowTable name="head" columns={profile.head.columns} rows={profile.head.rows} />}
          {view === 'versions' && <Versions data={data} />}
        </>
      )}
    </div>
  );
}

function Column({ column, rows }: { column: ColumnProfile; rows: number }): JSX.Element {
  const { trans } = useStudio();
  const share = rows ? column.missing / rows : 0;
  const { histogram, top } = column;
  const most = top?.[0]?.[1] ?? 1;
  return (
    <div className="jp-Studio-profileRow" role="row" data-testid={TEST.dataColumn(column.name)}>
      <div className="jp-Studio-profileName">
        <b title={column.name}>{column.name}</b>
        <span className="jp-Studio-hint">{column.dtype}</span>
      </div>
      <div className="jp-Studio-profilePlot">
        {histogram ? (
          <Bars
            label={trans.__('Distribution of %1', column.name)}
            width={184}
            height={40}
            axis={false}
            groups={[{ name: trans.__('rows'), values: histogram.counts, color: hue(0) }]}
            labels={histogram.counts.map((_, i) => `${formatNumber(histogram.edges[i])} – ${formatNumber(histogram.edges[i + 1])}`)}
          />
        ) : (
          top?.slice(0, 3).map(([value, count]) => (
            <div key={String(value)} className="jp-Studio-topValue" title={`${String(value)}: ${formatCount(count)}`}>
              <i style={{ width: `${(100 * count) / most}%` }} />
              <span>{String(value)}</span>
              <span>{formatPercent(count / Math.max(1, rows), 0)}</span>
            </div>
          ))
        )}
      </div>
      <dl className="jp-Studio-profileFigures">
        <Figure label={trans.__('min')} value={column.min} />
        <Figure label={trans.__('mean')} value={column.mean} />
        <Figure label={trans.__('max')} value={column.max} />
        <Figure label={trans.__('distinct')} value={column.distinct} />
        <div className={share > 0 ? 'jp-mod-warning' : undefined}>
          <dt>{trans.__('missing')}</dt>
          <dd>{share > 0 ? formatPercent(share) : '0'}</dd>
        </div>
      </dl>
    </div>
  );
}

function Figure({ label, value }: { label: string; value: Cell }): JSX.Element {
  const text = typeof value === 'number' ? formatNumber(value) : value === null ? '–' : String(value).replace(/[T ]00:00:00.*$/, '');
  return (
    <div>
      <dt>{label}</dt>
      <dd title={text}>{text}</dd>
    </div>
  );
}

function Versions({ data }: { data: DataSetDetail }): JSX.Element {
  const { trans } = useStudio();
  type V = DataSetDetail['versions'][number];
  const columns: IColumn<V>[] = [
    { key: 'version', label: trans.__('Version'), width: 80, grow: 0, cell: v => `v${v.version}` },
    { key: 'hash', label: trans.__('Hash'), width: 140, cell: v => <Id id={v.hash} /> },
    { key: 'rows', label: trans.__('Rows'), width: 100, align: 'right', cell: v => formatCount(v.rows) },
    { key: 'created', label: trans.__('Registered'), width: 120, align: 'right', cell: v => <Ago at={v.created_ms} /> }
  ];
  return <DataTable name="dataset-versions" label={trans.__('Versions')} columns={columns} rows={data.versions} rowKey={v => String(v.version)} fit={12} />;
}

interface IRowTableProps {
  name: string;
  columns: string[];
  rows: Cell[][];
  ids?: (string | number)[];
  marked?: ReadonlySet<string>;
}

/** Plain rows of data, numbers at the right. */
export function RowTable({ name, columns, rows, ids, marked }: IRowTableProps): JSX.Element {
  const { trans } = useStudio();
  type R = { key: string; cells: Cell[] };
  const numeric = columns.map((_, i) => rows.some(row => typeof row[i] === 'number'));
  const table: IColumn<R>[] = columns.map((column, i) => ({
    key: column,
    label: marked?.has(column) ? `▲ ${column}` : column,
    title: marked?.has(column) ? trans.__('%1: drifted', column) : column,
    width: widthOf(column, rows, i),
    align: numeric[i] ? 'right' : undefined,
    cell: row => show(row.cells[i])
  }));
  if (ids) {
    table.unshift({ key: '#id', label: trans.__('Row'), width: 136, grow: 0, cell: row => <Id id={row.key} tail /> });
  }
  const keyed = rows.map((cells, i): R => ({ key: String(ids?.[i] ?? i), cells }));
  return <DataTable name={name} label={trans.__('Rows')} columns={table} rows={keyed} rowKey={row => row.key} fit={18} />;
}

/** Room for the longest of the first values, within reason. */
function widthOf(column: string, rows: Cell[][], index: number): number {
  const longest = Math.max(column.length, ...rows.slice(0, 40).map(row => show(row[index]).length));
  return Math.max(84, Math.min(200, longest * 8 + 20));
}

function show(cell: Cell | undefined): string {
  if (typeof cell === 'number') {
    return formatNumber(cell);
  }
  return cell === null || cell === undefined ? '–' : String(cell).replace(/[T ]00:00:00(\.0+)?$/, '');
}
