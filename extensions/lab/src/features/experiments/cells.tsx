import type { TranslationBundle } from '@jupyterlab/translation';

import type { Run, RunFigures } from '../../api/model';
import { formatAgo, formatCount, formatDuration, formatExact, shortId } from '../../format';
import { useNow } from '../../hooks';
import { Icon } from '../../icons';
import { IGridColumn, StatusPill, hue } from '../../ui';
import { ARCHIVED_TAG, DURATION, EXPERIMENT, IColumnName, NOTE, NOTE_TAG, RUN, STARTED, STATUS, USER, columnOf, isNumeric, valueOf } from './columns';
import { IGroupLine, Line, isGroup } from './model';
import { figure, paired, pairedTimes } from './numbers';
import type { IRunView } from './view';

const WIDTHS: Record<string, number> = { [RUN]: 220, [STARTED]: 96, [DURATION]: 96, [STATUS]: 100, [USER]: 88, [EXPERIMENT]: 140, [NOTE]: 220 };
const GROUPED = 148;

/** The name of a column's head. */
export function labelOf(name: string, trans: TranslationBundle): string {
  const known: Record<string, string> = {
    [RUN]: trans.__('Run'),
    [STARTED]: trans.__('Started'),
    [DURATION]: trans.__('Duration'),
    [STATUS]: trans.__('Status'),
    [USER]: trans.__('By'),
    [EXPERIMENT]: trans.__('Experiment'),
    [NOTE]: trans.__('Note'),
    'attributes.run_id': trans.__('Id'),
    'attributes.end_time': trans.__('Ended')
  };
  return known[name] ?? columnOf(name)?.key ?? name;
}

function titleOf(name: string, column: IColumnName, trans: TranslationBundle): string {
  const kinds = { metrics: trans.__('metric'), params: trans.__('parameter'), tags: trans.__('tag'), attributes: '' };
  const bounds = { last: trans.__('last value'), min: trans.__('lowest value'), max: trans.__('highest value') };
  const kind = kinds[column.kind];
  const detail = column.kind === 'metrics' ? `${kind}, ${bounds[column.bound]}` : kind;
  return `${labelOf(name, trans)}${detail ? ` (${detail})` : ''} – ${trans.__('click sorts, shift-click adds, drag moves')}`;
}

/** Columns as the grid draws them; `seen` are runs that tell which params are numbers. */
export function gridColumns(names: readonly string[], view: IRunView, seen: readonly Run[], isGrouped: boolean, trans: TranslationBundle): IGridColumn[] {
  return names.flatMap(name => {
    const column = columnOf(name);
    if (!column) {
      return [];
    }
    const label = labelOf(name, trans);
    const isRight = column.kind === 'metrics' || name === DURATION || (column.kind !== 'attributes' && isNumeric(seen.map(run => valueOf(run, column, 0))));
    const at = view.sort.findIndex(sort => sort.column === name);
    const sort = view.sort[at];
    const natural = Math.max(80, Math.min(180, label.length * 7 + (column.bound === 'last' ? 0 : 24) + 34));
    const least = isGrouped && (column.kind === 'metrics' || name === DURATION) ? GROUPED : 0;
    return [
      {
        key: name,
        label,
        badge: column.kind === 'metrics' && column.bound !== 'last' ? column.bound : undefined,
        title: titleOf(name, column, trans),
        align: isRight ? ('right' as const) : undefined,
        width: view.widths[name] ?? Math.max(WIDTHS[name] ?? natural, least),
        isFixed: name === RUN,
        sort: sort && { descending: sort.descending, rank: view.sort.length > 1 ? at + 1 : 0 }
      }
    ];
  });
}

export interface ICellContext {
  trans: TranslationBundle;
  now: number;
  hues: ReadonlyMap<number, number>;
  /** Names of experiments by id. */
  experiments: ReadonlyMap<string, string>;
  group: string;
}

export function cellOf(line: Line, { key }: IGridColumn, context: ICellContext): JSX.Element | string {
  const column = columnOf(key);
  if (!column) {
    return '';
  }
  return isGroup(line) ? groupCell(line, key, context) : runCell(line, key, column, context);
}

function runCell(run: Run, key: string, column: IColumnName, context: ICellContext): JSX.Element | string {
  const { trans, now } = context;
  if (key === RUN) {
    return <RunName run={run} {...context} />;
  }
  const value = valueOf(run, column, now);
  if (value === null) {
    return <span className="jp-Studio-none">–</span>;
  }
  if (column.kind === 'metrics') {
    const metric = run.metrics[column.key];
    const exact = (number: number | null | undefined): string => (number === null || number === undefined ? 'NaN' : String(number));
    return <span title={trans.__('last %1 · min %2 · max %3 · step %4', exact(metric?.last), exact(metric?.min), exact(metric?.max), metric?.step ?? 0)}>{figure(Number(value))}</span>;
  }
  switch (key) {
    case STARTED:
    case 'attributes.end_time':
      return <time title={formatExact(Number(value))}>{formatAgo(Number(value), now)}</time>;
    case DURATION:
      return run.end_ms === null ? <Elapsed since={run.start_ms} /> : formatDuration(Number(value));
    case STATUS:
      return <StatusPill state={run.status} />;
    case EXPERIMENT: {
      const name = context.experiments.get(run.experiment_id) ?? run.experiment_id;
      return <span title={name}>{name}</span>;
    }
    case 'attributes.run_id':
      return <span title={run.run_id}>{shortId(run.run_id)}</span>;
    default: {
      const text = String(value);
      return <span title={text}>{column.kind === 'params' ? paramText(text) : text}</span>;
    }
  }
}

/** A parameter as it was logged, but for decimals that nobody compares by. */
function paramText(text: string): string {
  return /^[+-]?\d*\.\d{5,}(e[+-]?\d+)?$/i.test(text) ? figure(Number(text)) : text;
}

/** Of a run that is not at its end: it ticks by itself, so that no other cell is drawn again for it. */
function Elapsed({ since }: { since: number }): JSX.Element {
  return <>{formatDuration(useNow(1000) - since)}</>;
}

function RunName({ run, trans, hues }: { run: Run } & ICellContext): JSX.Element {
  const note = run.tags[NOTE_TAG];
  const swatch = hues.get(run.number);
  return (
    <span className="jp-Studio-runName" title={run.name}>
      <StatusPill state={run.status} compact />
      {swatch !== undefined && <i className="jp-Studio-swatch" style={{ background: hue(swatch) }} />}
      <span className="jp-Studio-runTitle">{run.name}</span>
      {note && (
        <span className="jp-Studio-runMark" title={note}>
          <Icon name="note" size={12} />
        </span>
      )}
      {run.tags[ARCHIVED_TAG] !== undefined && (
        <span className="jp-Studio-runMark" title={trans.__('Archived')}>
          <Icon name="archive" size={12} />
        </span>
      )}
    </span>
  );
}

function groupCell(line: IGroupLine, key: string, { trans, now, group, experiments }: ICellContext): JSX.Element | string {
  if (key === RUN) {
    const value = line.value === null ? trans.__('without %1', labelOf(group, trans)) : line.value === '' ? trans.__('(empty)') : group === EXPERIMENT ? (experiments.get(line.value) ?? line.value) : line.value;
    return (
      <span className={`jp-Studio-groupName${line.isOpen ? ' jp-mod-open' : ''}`} title={`${labelOf(group, trans)}: ${value}`} aria-expanded={line.isOpen}>
        <Icon name="chevron" size={12} />
        <b className={line.value === null ? 'jp-Studio-none' : undefined}>{value}</b>
        <em>{trans._n('%2 run', '%2 runs', line.runs, formatCount(line.runs))}</em>
      </span>
    );
  }
  if (key === STARTED) {
    return <time title={trans.__('The newest: %1', formatExact(line.newest))}>{formatAgo(line.newest, now)}</time>;
  }
  const figures = line.figures.get(key);
  if (!figures && line.figures.size === 0 && (key.startsWith('metrics.') || key === DURATION)) {
    return <i className="jp-Studio-gridWaits" />;
  }
  return figures ? groupFigures(figures, key === DURATION, trans) : '';
}

function groupFigures(figures: RunFigures, isTime: boolean, trans: TranslationBundle): JSX.Element {
  if (figures.mean === null) {
    return <span className="jp-Studio-none">–</span>;
  }
  const exact = isTime ? formatDuration : String;
  const [mean, deviation] = isTime ? pairedTimes(figures.mean, figures.deviation) : paired(figures.mean, figures.deviation);
  const title = trans.__(
    '%1 values · mean %2 · standard deviation %3 · min %4 · max %5',
    formatCount(figures.runs),
    exact(figures.mean),
    figures.deviation === null ? '–' : exact(figures.deviation),
    figures.low === null ? '–' : exact(figures.low),
    figures.high === null ? '–' : exact(figures.high)
  );
  return (
    <span title={title}>
      {mean}
      {deviation && <small className="jp-Studio-deviation"> ± {deviation}</small>}
    </span>
  );
}
