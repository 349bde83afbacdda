/** What a column of the table is: `metrics.auc`, `metrics.auc#max`, `params.depth`, `tags.team`, `attributes.status`. */

import type { Run } from '../../api/model';

export type ColumnKind = 'metrics' | 'params' | 'tags' | 'attributes';
export type Bound = 'last' | 'min' | 'max';

export interface IColumnName {
  kind: ColumnKind;
  key: string;
  /** Which of a metric's values. */
  bound: Bound;
}

export const RUN = 'attributes.run_name';
export const STARTED = 'attributes.start_time';
export const DURATION = 'attributes.duration';
export const STATUS = 'attributes.status';
export const USER = 'attributes.user';
export const EXPERIMENT = 'attributes.experiment';
export const NOTE = 'tags.mlflow.note.content';
export const ARCHIVED_TAG = 'studio.archived';
export const NOTE_TAG = 'mlflow.note.content';
export const ATTRIBUTES = [RUN, STARTED, DURATION, STATUS, USER, EXPERIMENT, 'attributes.run_id', 'attributes.end_time'];

/** The parts of a column's name; null if it is none. */
export function columnOf(name: string): IColumnName | null {
  const match = /^(metrics|params|tags|attributes)\.([^#]+)(?:#(min|max))?$/.exec(name);
  if (!match?.[1] || !match[2] || (match[3] && match[1] !== 'metrics')) {
    return null;
  }
  return { kind: match[1] as ColumnKind, key: match[2], bound: (match[3] as Bound | undefined) ?? 'last' };
}

export function nameOf({ kind, key, bound }: IColumnName): string {
  return `${kind}.${key}${kind === 'metrics' && bound !== 'last' ? `#${bound}` : ''}`;
}

/** Keys worth a column, the most often logged first; a metric that every run has says more than a rare one. */
export function keysOf(runs: readonly Run[], kind: 'metrics' | 'params'): string[] {
  const counts = new Map<string, number>();
  for (const run of runs) {
    for (const key of Object.keys(run[kind])) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([key]) => key);
}

const WORTH = ['auc', 'roc_auc', 'accuracy', 'f1', 'f1_score', 'loss', 'log_loss', 'rmse', 'model'];

/** What to show before anybody has chosen: a few metrics and parameters, the well-known names first. */
export function defaultKeys(keys: readonly string[], count: number): string[] {
  const rank = (key: string): number => {
    const name = key.toLowerCase();
    const exact = WORTH.indexOf(name);
    const ending = WORTH.findIndex(word => new RegExp(`[_/.-]${word}$`).test(name));
    return exact >= 0 ? exact : ending >= 0 ? WORTH.length + ending : 2 * WORTH.length;
  };
  return keys
    .map((key, i) => ({ key, order: rank(key) * 1000 + i }))
    .sort((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ key }) => key);
}

/** The columns of a table that nobody has arranged yet. */
export function defaultColumns(runs: readonly Run[], severalExperiments: boolean): string[] {
  return [
    RUN,
    STARTED,
    DURATION,
    ...(severalExperiments ? [EXPERIMENT] : []),
    ...defaultKeys(keysOf(runs, 'metrics'), 4).map(key => `metrics.${key}`),
    ...defaultKeys(keysOf(runs, 'params'), 4).map(key => `params.${key}`),
    USER
  ];
}

/** What a run has in a column: a number, a text, null where it has nothing. NaN stays NaN. */
export function valueOf(run: Run, column: IColumnName, now: number): number | string | null {
  switch (column.kind) {
    case 'metrics': {
      const metric = run.metrics[column.key];
      return metric ? (metric[column.bound] ?? NaN) : null;
    }
    case 'params':
      return run.params[column.key] ?? null;
    case 'tags':
      return run.tags[column.key] ?? null;
    default:
      return attributeOf(run, column.key, now);
  }
}

function attributeOf(run: Run, key: string, now: number): number | string | null {
  switch (key) {
    case 'run_name':
      return run.name;
    case 'start_time':
      return run.start_ms || null;
    case 'end_time':
      return run.end_ms;
    case 'duration':
      return run.end_ms === null ? (isLive(run) ? now - run.start_ms : null) : run.end_ms - run.start_ms;
    case 'status':
      return run.status;
    case 'user':
      return run.user;
    case 'experiment':
      return run.experiment_id;
    default:
      return run.run_id;
  }
}

/** Whether every value seen is a number, so that it stands at the right. */
export function isNumeric(values: readonly (number | string | null)[]): boolean {
  const some = values.filter(value => value !== null && value !== '');
  return some.length > 0 && some.every(value => typeof value === 'number' || /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$|^nan$|^[+-]?inf$/i.test(value ?? ''));
}

export function isLive(run: Pick<Run, 'status'>): boolean {
  return run.status === 'RUNNING' || run.status === 'SCHEDULED';
}

/** Columns in which runs are not all equal; what two runs lack alike is equal. */
export function differing(runs: readonly Run[], columns: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const name of columns) {
    const column = columnOf(name);
    const values = column ? new Set(runs.map(run => String(valueOf(run, column, 0)))) : new Set();
    if (values.size > 1) {
      found.add(name);
    }
  }
  return found;
}
