import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { ColumnOrder, Run, RunFigures, RunSelection } from '../../api/model';
import type { EventStream, IChange } from '../../events';
import { StudioError } from '../../request';
import { asStudioError } from '../../resource';
import { columnOf } from './columns';
import { narrowed } from './filter';
import { RunRows } from './rows';
import { RunList } from './runlist';
import type { RunTableClient } from './tableclient';

export interface IQuery {
  selection: RunSelection;
  order: ColumnOrder[];
  /** What is read of each row; null: everything, as before anybody knows what there is. */
  columns: string[] | null;
  group: string;
}

/** A line that stands for all runs with one value. */
export interface IGroupLine {
  kind: 'group';
  key: string;
  value: string | null;
  runs: number;
  newest: number | null;
  isOpen: boolean;
  /** By the column's name. */
  figures: Map<string, RunFigures>;
}

export type Line = Run | IGroupLine;

/** A group's list is read again less often than a plain one: its figures come from all runs. */
const GROUPS_MS = 5000;
/** Values of runs in sight move at once; what they do to the order may wait. */
const ORDER_MS = 3000;
const OVERSCAN = 20;

export function isGroup(line: Line): line is IGroupLine {
  return 'kind' in line;
}

/** The lines of the table: runs in order, or groups of them that open. Kept true by the stream of events. */
export class RunTableModel implements IDisposable {
  constructor(
    private readonly client: () => RunTableClient,
    private readonly events: EventStream
  ) {
    this.rows = new RunRows(client);
    this.rows.changed.connect(this.onChange, this);
    events.changed.connect(this.onEvent, this);
  }

  readonly rows: RunRows;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Counts the changes, so that a view knows that it must look again. */
  get version(): number {
    return this._version;
  }

  get total(): number {
    return this._list?.total ?? 0;
  }

  get all(): number {
    return this._list?.all ?? 0;
  }

  get groups(): number | null {
    return this._query?.group ? this._groupTotal : null;
  }

  get error(): StudioError | undefined {
    return this._list?.error ?? this._groupError;
  }

  /** Whether there is something to show for this query; until then what was shown before stays. */
  get isOpen(): boolean {
    return this._shown !== null;
  }

  get isGrouped(): boolean {
    return this._shown?.group !== '' && this._shown !== null;
  }

  /** How many lines there are, those of open groups too. */
  get length(): number {
    return this.isGrouped ? (this._starts[this._starts.length - 1] ?? 0) : (this._shown?.list.total ?? 0);
  }

  set query(query: IQuery) {
    const before = this._query;
    this._query = query;
    this.rows.columns = query.columns;
    const isSame = before && JSON.stringify([before.selection, before.order]) === JSON.stringify([query.selection, query.order]);
    const figures = (columns: string[] | null): string => this.figureColumns(columns).join();
    if (!isSame) {
      this.openList();
    }
    if (query.group && (!isSame || before.group !== query.group || figures(before.columns) !== figures(query.columns))) {
      void this.loadGroups();
    } else if (!query.group && before?.group && isSame) {
      this.show();
    }
  }

  /** The run or group at a line; undefined while it is not read. */
  lineAt(index: number): Line | undefined {
    const place = this.place(index);
    return place?.group ?? (place?.number === undefined ? undefined : this.rows.get(place.number));
  }

  /** The number of the run at a line, whether it is read or not. */
  numberAt(index: number): number | undefined {
    return this.place(index)?.number;
  }

  /** The numbers of all runs from a line to another. */
  numbersBetween(first: number, last: number, most: number): number[] {
    const found: number[] = [];
    for (let at = Math.min(first, last); at <= Math.max(first, last) && found.length < most; at += 1) {
      const number = this.numberAt(at);
      if (number !== undefined) {
        found.push(number);
      }
    }
    return found;
  }

  /** Where a run's line is now; -1 if it is in no list that is shown. */
  indexOf(number: number): number {
    if (!this._shown) {
      return -1;
    }
    if (!this.isGrouped) {
      return this._shown.list.indexOf(number);
    }
    for (const [at, group] of this._lines.entries()) {
      const inside = this._open.get(group.key)?.indexOf(number) ?? -1;
      if (group.isOpen && inside >= 0) {
        return (this._starts[at] ?? 0) + 1 + inside;
      }
    }
    return -1;
  }

  /** What is in sight is read, and some more. */
  want(first: number, last: number): void {
    const numbers: number[] = [];
    for (let at = Math.max(0, first); at <= last; at += 1) {
      const number = this.numberAt(at);
      if (number !== undefined) {
        numbers.push(number);
      }
    }
    for (let near = 1; near <= OVERSCAN; near += 1) {
      for (const number of [this.numberAt(last + near), this.numberAt(first - near)]) {
        if (number !== undefined) {
          numbers.push(number);
        }
      }
    }
    this.rows.want(numbers);
  }

  toggle(group: IGroupLine): void {
    const query = this._query;
    if (!query) {
      return;
    }
    const line = this._lines.find(item => item.key === group.key);
    if (line?.isOpen) {
      this._open.get(line.key)?.dispose();
      this._open.delete(line.key);
    } else if (line) {
      const filter = narrowed(query.selection.filter ?? '', query.group, line.value);
      const list = new RunList(this.client, this.rows, { ...query.selection, filter }, query.order);
      this._open.set(line.key, list);
      list.changed.connect(this.onChange, this);
      void list.load();
    }
    this._lines = this._lines.map(item => (item === line ? { ...item, isOpen: !item.isOpen } : item));
    this.onChange();
  }

  /** Nobody looks: nothing is read until somebody does. */
  set isActive(isActive: boolean) {
    this._isActive = isActive;
    if (isActive && this._isStale) {
      this._isStale = false;
      this.rows.expire();
      this.refresh();
    }
  }

  refresh(leastMs?: number): void {
    this._list?.refresh(leastMs);
    for (const list of this._open.values()) {
      list.refresh(leastMs);
    }
    if (this._query?.group && !this._groupTimer) {
      this._groupTimer = window.setTimeout(() => {
        this._groupTimer = 0;
        void this.loadGroups();
      }, Math.max(leastMs ?? 0, GROUPS_MS));
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this._groupTimer);
    this.events.changed.disconnect(this.onEvent, this);
    this._list?.dispose();
    this.closeGroups();
    this.rows.dispose();
    Signal.clearData(this);
  }

  private openList(): void {
    const query = this._query;
    if (!query) {
      return;
    }
    // What is shown stays until the new list has something to show; the one that it takes the place of may be gone.
    if (this._list && this._list !== this._shown?.list) {
      this._list.dispose();
    }
    const list = new RunList(this.client, this.rows, query.selection, query.order);
    this._list = list;
    list.changed.connect(() => {
      if (list === this._list && list.isOpen && !list.error && !this._query?.group) {
        this.show();
      }
      this.onChange();
    });
    void list.load();
    this.onChange();
  }

  private show(): void {
    if (!this._list || this._shown?.list === this._list && this._shown.group === (this._query?.group ?? '')) {
      return;
    }
    if (this._shown && this._shown.list !== this._list) {
      this._shown.list.dispose();
    }
    if (!this._query?.group) {
      this.closeGroups();
    }
    this._shown = { list: this._list, group: this._query?.group ?? '' };
    this.onChange();
  }

  private async loadGroups(): Promise<void> {
    const query = this._query;
    const list = this._list;
    if (!query?.group || !list) {
      return;
    }
    const columns = this.figureColumns(query.columns);
    const isNew = this._shown?.group !== query.group || this._shown.list !== list;
    try {
      // How many there are is known long before what they have on average.
      for (const wanted of isNew && columns.length ? [[], columns] : [columns]) {
        const { groups, total } = await this.client().groups(query.selection, query.group, wanted);
        if (query !== this._query || this._isDisposed) {
          return;
        }
        if (isNew && wanted.length === 0) {
          this.closeGroups();
        }
        this._groupError = undefined;
        this._groupTotal = total;
        this._lines = groups.map(group => {
          const key = group.value === null ? 'none' : `=${group.value}`;
          return { kind: 'group', key, value: group.value, runs: group.runs, newest: group.newest_ms, isOpen: this._open.has(key), figures: new Map(group.figures.map((figures, n) => [wanted[n] ?? '', figures])) };
        });
        this.show();
        this.onChange();
      }
    } catch (error) {
      this._groupError = asStudioError(error);
    }
    this.onChange();
  }

  /** The columns whose means a group shows. */
  private figureColumns(columns: string[] | null): string[] {
    return (columns ?? []).filter(name => columnOf(name)?.kind === 'metrics' || name === 'attributes.duration').slice(0, 40);
  }

  private place(index: number): { group?: IGroupLine; number?: number } | undefined {
    if (!this._shown || index < 0) {
      return undefined;
    }
    if (!this.isGrouped) {
      return { number: this._shown.list.numberAt(index) };
    }
    let low = 0;
    let high = this._lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this._starts[middle] ?? 0) <= index) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    const group = this._lines[low];
    const inside = index - (this._starts[low] ?? 0);
    if (!group || index >= this.length) {
      return undefined;
    }
    return inside === 0 ? { group } : { number: this._open.get(group.key)?.numberAt(inside - 1) };
  }

  private closeGroups(): void {
    for (const list of this._open.values()) {
      list.dispose();
    }
    this._open.clear();
    this._lines = [];
  }

  private onChange(): void {
    let start = 0;
    this._starts = this._lines.map(line => {
      const own = start;
      start += 1 + (line.isOpen ? (this._open.get(line.key)?.total || line.runs) : 0);
      return own;
    });
    this._starts.push(start);
    this._version += 1;
    this._changed.emit();
  }

  private onEvent(_: EventStream, change: IChange): void {
    if (change.topic !== 'runs' && change.topic !== '*') {
      return;
    }
    if (!this._isActive || document.hidden) {
      this._isStale = true;
      return;
    }
    const known = (change.ids ?? []).filter(id => this.rows.numberOf(id) !== undefined);
    this.rows.expire(change.ids?.length ? known : undefined);
    const isNew = !change.ids?.length || known.length < change.ids.length;
    this.refresh(isNew ? undefined : ORDER_MS);
  }

  private _changed = new Signal<this, void>(this);
  private _version = 0;
  private _query: IQuery | null = null;
  private _list: RunList | null = null;
  private _shown: { list: RunList; group: string } | null = null;
  private _lines: IGroupLine[] = [];
  private _starts: number[] = [0];
  private _open = new Map<string, RunList>();
  private _groupTotal = 0;
  private _groupError: StudioError | undefined;
  private _groupTimer = 0;
  private _isActive = true;
  private _isStale = false;
  private _isDisposed = false;
}
