import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { EventStream, IChange, Topic } from './events';
import { StudioError } from './request';

export interface IResourceOptions {
  /** What must have changed on the server for this to be read again. */
  topics: readonly Topic[];
  /** Also read again this often while somebody looks; for figures that move without an event. */
  everyMs?: number;
  /** Only changes of this one thing count, where the server says which things changed. */
  id?: string;
}

export interface ISnapshot<T> {
  readonly data: T | undefined;
  readonly error: StudioError | undefined;
}

/**
 * One thing read from the server and kept fresh: read at first look, again when its topics change, never twice at
 * once, and not at all while nobody looks. Equal answers keep their identity, so that nothing is drawn again.
 */
export class Resource<T> implements IDisposable {
  constructor(
    private readonly load: () => Promise<T>,
    private readonly events: EventStream,
    private readonly options: IResourceOptions,
    seed?: T
  ) {
    this._snapshot = { data: seed, error: undefined };
    this._text = seed === undefined ? '' : JSON.stringify(seed);
    events.changed.connect(this.onEvent, this);
    if (options.everyMs) {
      this._timer = window.setInterval(() => this.touch(), options.everyMs);
    }
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get snapshot(): ISnapshot<T> {
    return this._snapshot;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Whether somebody looks; becoming looked-at reads what was missed. */
  set isActive(active: boolean) {
    this._isActive = active;
    if (active && this._isStale) {
      void this.refresh();
    }
  }

  async refresh(): Promise<void> {
    if (this._isDisposed) {
      return;
    }
    if (this._isLoading) {
      this._isStale = true;
      return;
    }
    this._isLoading = true;
    this._isStale = false;
    let next: ISnapshot<T>;
    try {
      const data = await this.load();
      const text = JSON.stringify(data);
      next = text === this._text ? { data: this._snapshot.data, error: undefined } : { data, error: undefined };
      this._text = text;
    } catch (error) {
      next = { data: this._snapshot.data, error: asStudioError(error) };
    }
    this._isLoading = false;
    if (this._isDisposed) {
      return;
    }
    if (next.data !== this._snapshot.data || next.error !== this._snapshot.error) {
      this._snapshot = next;
      this._changed.emit();
    }
    if (this._isStale && this._isActive) {
      void this.refresh();
    }
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearInterval(this._timer);
    this.events.changed.disconnect(this.onEvent, this);
    Signal.clearData(this);
  }

  private onEvent(_: EventStream, change: IChange): void {
    const { topics, id } = this.options;
    const concerns = !id || !change.ids?.length || change.ids.includes(id);
    if (change.topic === '*' || (topics.includes(change.topic) && concerns)) {
      this.touch();
    }
  }

  private touch(): void {
    if (this._isActive && !document.hidden) {
      void this.refresh();
    } else {
      this._isStale = true;
    }
  }

  private _snapshot: ISnapshot<T>;
  private _text: string;
  private _changed = new Signal<this, void>(this);
  private _isActive = true;
  private _isStale = true;
  private _isLoading = false;
  private _isDisposed = false;
  private _timer = 0;
}

export function asStudioError(error: unknown): StudioError {
  if (error instanceof StudioError) {
    return error;
  }
  return new StudioError(0, 'BROWSER', error instanceof Error ? error.message : String(error), 'Reload the page and try again.');
}
