import type { TranslationBundle } from '@jupyterlab/translation';

import type { Run } from '../../api/model';
import { formatDuration, formatMetric, formatNumber } from '../../format';
import { Ago, Fade, IColumn, ISort, StatusPill, hue } from '../../ui';

interface IChoice {
  metrics: string[];
  params: string[];
}

export function runColumns(trans: TranslationBundle, choice: IChoice, now: number, hues: ReadonlyMap<string, number>): IColumn<Run>[] {
  return [
    {
      key: 'name',
      label: trans.__('Run'),
      width: 160,
      grow: 2,
      sortable: true,
      cell: run => (
        <span className="jp-Studio-runName" title={run.name}>
          <StatusPill state={run.status} compact />
          {hues.has(run.run_id) && <i className="jp-Studio-swatch" style={{ background: hue(hues.get(run.run_id) ?? 0) }} />}
          <span>{run.name}</span>
        </span>
      )
    },
    { key: 'created', label: trans.__('Started'), width: 96, grow: 0, sortable: true, cell: run => <Ago at={run.start_ms} /> },
    { key: 'duration', label: trans.__('Duration'), width: 104, grow: 0, align: 'right', cell: run => formatDuration((run.end_ms ?? now) - run.start_ms) },
    ...choice.metrics.map(
      (key): IColumn<Run> => ({
        key: `metrics.${key}`,
        label: key,
        width: Math.max(80, Math.min(150, key.length * 8 + 24)),
        align: 'right',
        sortable: true,
        title: trans.__('%1 (last value)', key),
        cell: run => {
          const metric = run.metrics[key];
          return metric ? (
            <span title={trans.__('last %1 · min %2 · max %3 · step %4', formatNumber(metric.last), formatNumber(metric.min), formatNumber(metric.max), metric.step)}>
              <Fade>{formatMetric(metric.last)}</Fade>
            </span>
          ) : (
            '–'
          );
        }
      })
    ),
    ...choice.params.map(
      (key): IColumn<Run> => ({
        key: `params.${key}`,
        label: key,
        width: Math.max(80, Math.min(150, key.length * 8 + 20)),
        align: isNumeric(key) ? 'right' : undefined,
        sortable: true,
        title: trans.__('%1 (parameter)', key),
        cell: run => run.params[key] ?? '–'
      })
    ),
    { key: 'user', label: trans.__('By'), width: 64, cell: run => run.user }
  ];
}

function isNumeric(key: string): boolean {
  return /depth|size|rate|iter|estimators|seed|fold|(^|_)n(_|$)|^c$/i.test(key);
}

/** The server's `order_by` for a column of the table. */
export function orderBy(sort: ISort): string[] {
  const column = { name: 'attributes.run_name', created: 'attributes.start_time' }[sort.key] ?? quoted(sort.key);
  return [`${column} ${sort.descending ? 'DESC' : 'ASC'}`];
}

function quoted(key: string): string {
  const [kind, ...rest] = key.split('.');
  const name = rest.join('.');
  return /^[A-Za-z_]\w*$/.test(name) ? key : `${kind}.\`${name}\``;
}
