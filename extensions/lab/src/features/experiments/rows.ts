import { ISignal, Signal } from '@lumino/signaling';

import type { Run } from '../../api/model';
import type { RunTableClient } from './tableclient';

const AT_ONCE = 100;
const PAUSE_MS = 30;
const KEPT = 20_000;
const SEEN = 60;

interface IHeld {
  run: Run;
  /** Which reading it is of; an older one is shown until the newer is there. */
  turn: number;
}

/** The rows that were looked at, by their number; read by windows as they come in sight, a hundred at a time. */
export class RunRows {
  constructor(private readonly client: () => RunTableClient) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get(number: number): Run | undefined {
    return this._held.get(number)?.run;
  }

  /** The number of a run that was looked at. */
  numberOf(id: string): number | undefined {
    return this._numbers.get(id);
  }

  /** Some of them, for what the columns look like; the same array until there is more to be seen. */
  get seen(): readonly Run[] {
    return this._seen;
  }

  put(runs: readonly Run[]): void {
    if (this._held.size > KEPT) {
      this._held.clear();
      this._numbers.clear();
    }
    for (const run of runs) {
      const before = this._held.get(run.number)?.run;
      // Equal answers keep their identity, so that their rows are not drawn again.
      this._held.set(run.number, { run: before && JSON.stringify(before) === JSON.stringify(run) ? before : run, turn: this._turn });
      this._numbers.set(run.run_id, run.number);
    }
    if (this._seen.length < SEEN && runs.length) {
      this._seen = [...this._seen, ...runs].slice(0, SEEN);
    }
    this._changed.emit();
  }

  /** The columns that rows are read with; null: all data. Rows without one of them are read again when in sight. */
  set columns(columns: string[] | null) {
    const known = new Set(this._columns ?? []);
    const needsMore = this._columns !== null && (columns === null || columns.some(column => !known.has(column)));
    this._columns = columns;
    if (needsMore) {
      this._seen = [];
      this.expire();
    }
  }

  get columns(): string[] | null {
    return this._columns;
  }

  /** What is held may not be true any more, of some runs or of all; it is read again when in sight. */
  expire(ids?: readonly string[]): void {
    if (!ids) {
      this._turn += 1;
    }
    for (const id of ids ?? []) {
      const held = this._held.get(this._numbers.get(id) ?? -1);
      if (held) {
        held.turn = -1;
      }
    }
    this.want(this._wanted);
  }

  /** What is in sight: what of it is missing or old is read, once the scrolling rests for a moment. */
  want(numbers: readonly number[]): void {
    this._wanted = numbers;
    if (this._timer || this._isLoading || !this.missing().length) {
      return;
    }
    this._timer = window.setTimeout(() => {
      this._timer = 0;
      void this.load();
    }, PAUSE_MS);
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    Signal.clearData(this);
  }

  private missing(): number[] {
    return this._wanted.filter(number => this._held.get(number)?.turn !== this._turn);
  }

  private async load(): Promise<void> {
    const numbers = this.missing().slice(0, AT_ONCE);
    if (!numbers.length || this._isDisposed) {
      return;
    }
    this._isLoading = true;
    const turn = this._turn;
    let runs: Run[] = [];
    try {
      runs = await this.client().rows({ numbers, columns: this._columns });
    } catch {
      // The list's own reading says what is wrong; what is in sight is asked for again with the next event or scroll.
      this._isLoading = false;
      return;
    }
    this._isLoading = false;
    if (this._isDisposed) {
      return;
    }
    this.put(runs);
    const found = new Set(runs.map(run => run.number));
    for (const number of numbers) {
      const held = this._held.get(number);
      if (held && !found.has(number)) {
        this._held.delete(number);
      } else if (held && turn !== this._turn) {
        held.turn = turn;
      }
    }
    if (found.size) {
      this.want(this._wanted);
    }
  }

  private _changed = new Signal<this, void>(this);
  private _held = new Map<number, IHeld>();
  private _numbers = new Map<string, number>();
  private _seen: readonly Run[] = [];
  private _columns: string[] | null = null;
  private _wanted: readonly number[] = [];
  private _turn = 0;
  private _timer = 0;
  private _isLoading = false;
  private _isDisposed = false;
}
