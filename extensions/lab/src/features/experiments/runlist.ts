import { ISignal, Signal } from '@lumino/signaling';

import type { ColumnOrder, RunSelection } from '../../api/model';
import { StudioError } from '../../request';
import { asStudioError } from '../../resource';
import type { RunRows } from './rows';
import type { RunTableClient } from './tableclient';

const FIRST = 60;
/** A list is read again at most so often; one that takes long, less often. */
const LEAST_MS = 1000;
const MOST_MS = 3000;

/** The runs that match, in order: first a window and the count, then the numbers of all, kept as one flat array. */
export class RunList {
  constructor(
    private readonly client: () => RunTableClient,
    private readonly rows: RunRows,
    readonly selection: RunSelection,
    readonly order: ColumnOrder[]
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** How many match, and how many there are without the filter. */
  total = 0;
  all = 0;
  error: StudioError | undefined;
  isOpen = false;

  numberAt(index: number): number | undefined {
    return this._numbers[index];
  }

  indexOf(number: number): number {
    return this._numbers.indexOf(number);
  }

  slice(first: number, last: number): number[] {
    return Array.from(this._numbers.slice(Math.max(0, first), Math.max(0, last)));
  }

  async load(): Promise<void> {
    if (this._isLoading) {
      this._isStale = true;
      return;
    }
    window.clearTimeout(this._timer);
    this._timer = 0;
    this._isLoading = true;
    this._isStale = false;
    const begun = performance.now();
    try {
      const window = await this.client().window(this.selection, this.order, this.rows.columns, FIRST);
      if (!this._isDisposed) {
        this.show(window.total, window.all, window.runs.map(run => run.number));
        this.rows.put(window.runs);
        this._changed.emit();
        await this.loadOrder(window.runs.length);
      }
    } catch (error) {
      this.error = asStudioError(error);
    }
    this._isLoading = false;
    this._took = performance.now() - begun;
    this._last = performance.now();
    if (this._isDisposed) {
      return;
    }
    this.isOpen = true;
    this._changed.emit();
    if (this._isStale) {
      this.refresh();
    }
  }

  /** Reads it again soon; many calls become one. */
  refresh(leastMs = LEAST_MS): void {
    if (this._isLoading) {
      this._isStale = true;
    } else if (!this._timer && !this._isDisposed) {
      const due = this._last + Math.max(leastMs, Math.min(this._took * 4, MOST_MS)) - performance.now();
      this._timer = window.setTimeout(() => void this.load(), Math.max(0, due));
    }
  }

  dispose(): void {
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    Signal.clearData(this);
  }

  private show(total: number, all: number, head: number[]): void {
    this.error = undefined;
    this.isOpen = true;
    this.all = all;
    if (!this._hash) {
      this.total = total;
      this._numbers = Uint32Array.from(head);
    }
  }

  private async loadOrder(shown: number): Promise<void> {
    if (shown === this.total && !this._hash) {
      return;
    }
    const answer = await this.client().order(this.selection, this.order, this._hash);
    if (answer.numbers) {
      this._numbers = Uint32Array.from(answer.numbers);
      this.total = this._numbers.length;
      this._hash = answer.hash;
    }
  }

  private _changed = new Signal<this, void>(this);
  private _numbers = new Uint32Array();
  private _hash = '';
  private _isLoading = false;
  private _isStale = false;
  private _isDisposed = false;
  private _timer = 0;
  private _took = 0;
  private _last = -Infinity;
}
