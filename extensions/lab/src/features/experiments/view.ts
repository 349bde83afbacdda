/** What the table shows, as plain data: kept in saved views, in links, and for the next opening. */

import type { ChartsState } from './charts/state';
import { RUN, columnOf } from './columns';

export interface IColumnSort {
  column: string;
  descending: boolean;
}

/** What a saved view holds; null columns: those that say most. */
export interface IArrangement {
  filter: string;
  sort: IColumnSort[];
  columns: string[] | null;
  pinned: string[];
  widths: Record<string, number>;
  /** A param, tag or attribute whose values make groups. */
  group: string;
  differs: boolean;
  archived: boolean;
  charts: Partial<ChartsState>;
}

export interface IRunView extends IArrangement {
  /** '' all; an experiment's id; a folder's path ending in a slash. */
  experiment: string;
  deleted: boolean;
  /** The saved view this began as. */
  name: string;
}

export const PLAIN: IArrangement = { filter: '', sort: [], columns: null, pinned: [RUN], widths: {}, group: '', differs: false, archived: false, charts: {} };
export const START: IRunView = { ...PLAIN, experiment: '', deleted: false, name: '' };

export const LEAST_WIDTH = 48;
export const MOST_WIDTH = 800;
const MOST_COLUMNS = 500;
const MOST_SORTS = 8;

/** The arrangement in what somebody saved, maybe long ago or by hand: what does not fit is left out. */
export function arrangementOf(state: unknown): IArrangement {
  const given = (typeof state === 'object' && state !== null ? state : {}) as Record<string, unknown>;
  const columns = Array.isArray(given['columns']) ? columnsOf(given['columns']) : null;
  const sort = Array.isArray(given['sort']) ? given['sort'] : [];
  const widths = typeof given['widths'] === 'object' && given['widths'] !== null ? Object.entries(given['widths']) : [];
  const group = typeof given['group'] === 'string' && canGroup(given['group']) ? given['group'] : '';
  return {
    filter: typeof given['filter'] === 'string' ? given['filter'] : '',
    sort: sort.flatMap((item: unknown) => {
      const { column, descending } = (item ?? {}) as Partial<IColumnSort>;
      return typeof column === 'string' && columnOf(column) ? [{ column, descending: descending === true }] : [];
    }).slice(0, MOST_SORTS),
    columns: columns?.length ? columns : null,
    pinned: Array.isArray(given['pinned']) ? columnsOf(given['pinned']) : PLAIN.pinned,
    widths: Object.fromEntries(widths.flatMap(([key, width]) => (typeof width === 'number' && columnOf(key) ? [[key, clampWidth(width)]] : []))),
    group,
    differs: given['differs'] === true,
    archived: given['archived'] === true,
    charts: typeof given['charts'] === 'object' && given['charts'] !== null ? given['charts'] : {}
  };
}

function columnsOf(given: unknown[]): string[] {
  const names = given.filter((name): name is string => typeof name === 'string' && columnOf(name) !== null);
  return [...new Set(names)].slice(0, MOST_COLUMNS);
}

export function clampWidth(width: number): number {
  return Math.round(Math.min(MOST_WIDTH, Math.max(LEAST_WIDTH, width)));
}

/** Whether runs can be grouped by a column: a metric has as many values as there are runs. */
export function canGroup(name: string): boolean {
  const column = columnOf(name);
  return column !== null && (column.kind === 'params' || column.kind === 'tags' || ['status', 'user', 'experiment', 'run_name'].includes(column.kind === 'attributes' ? column.key : ''));
}

/** The arrangement of a view, without where it is looked at. */
export function arrangement({ filter, sort, columns, pinned, widths, group, differs, archived, charts }: IArrangement): IArrangement {
  return { filter, sort, columns, pinned, widths, group, differs, archived, charts };
}

export function isSame(a: IArrangement, b: IArrangement): boolean {
  return JSON.stringify(arrangement(a)) === JSON.stringify(arrangement(b));
}

/** A view as what a link carries; only what is not as at the start. */
export function toLink(view: IRunView): string {
  const link = new URLSearchParams();
  const put = (key: string, value: string): void => {
    if (value) {
      link.set(key, value);
    }
  };
  put('experiment', view.experiment);
  put('view', view.name);
  put('filter', view.filter);
  put('sort', view.sort.map(({ column, descending }) => (descending ? '-' : '') + column).join('\n'));
  put('columns', (view.columns ?? []).join('\n'));
  put('pinned', view.pinned.join('\n') === PLAIN.pinned.join('\n') ? '' : view.pinned.join('\n') || '-');
  put('group', view.group);
  for (const flag of ['differs', 'archived', 'deleted'] as const) {
    put(flag, view[flag] ? 'yes' : '');
  }
  return link.toString();
}

/** What a link or a command asks for; a text without `=` is an experiment. */
export function fromLink(text: string): Partial<IRunView> {
  if (!text) {
    return {};
  }
  if (!text.includes('=')) {
    return { experiment: text };
  }
  const link = new URLSearchParams(text);
  const lines = (key: string): string[] => (link.get(key) ?? '').split('\n').filter(Boolean);
  const view: Partial<IRunView> = {};
  const checked = arrangementOf({
    filter: link.get('filter') ?? '',
    sort: lines('sort').map(line => ({ column: line.replace(/^-/, ''), descending: line.startsWith('-') })),
    columns: lines('columns'),
    pinned: link.get('pinned') === '-' ? [] : lines('pinned'),
    group: link.get('group') ?? '',
    differs: link.get('differs') === 'yes',
    archived: link.get('archived') === 'yes'
  });
  for (const key of ['filter', 'sort', 'columns', 'pinned', 'group', 'differs', 'archived'] as const) {
    if (link.has(key)) {
      Object.assign(view, { [key]: checked[key] });
    }
  }
  if (link.has('experiment')) {
    view.experiment = link.get('experiment') ?? '';
  }
  if (link.has('view')) {
    view.name = link.get('view') ?? '';
  }
  return link.has('deleted') ? { ...view, deleted: link.get('deleted') === 'yes' } : view;
}

/** What a click on a column's head makes of the order; with shift it is one more column. */
export function sortedBy(sort: readonly IColumnSort[], column: string, adds: boolean, descendsFirst: boolean): IColumnSort[] {
  const at = sort.findIndex(item => item.column === column);
  const before = sort[at];
  const next: IColumnSort[] = !before ? [{ column, descending: descendsFirst }] : before.descending === descendsFirst ? [{ column, descending: !descendsFirst }] : [];
  if (!adds) {
    return sort.length > 1 && before ? [{ column, descending: before.descending }] : next;
  }
  return (before ? [...sort.slice(0, at), ...next, ...sort.slice(at + 1)] : [...sort, ...next]).slice(0, MOST_SORTS);
}

/** `names` with one of them at another place. */
export function moved(names: readonly string[], name: string, before: string | null): string[] {
  const rest = names.filter(item => item !== name);
  const at = before === null ? rest.length : rest.indexOf(before);
  return at < 0 ? [...names] : [...rest.slice(0, at), name, ...rest.slice(at)];
}
