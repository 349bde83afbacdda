import { useSyncExternalStore } from 'react';

export interface IHover {
  /** Place on the x axis, as drawn. */
  x: number;
  /** The metric whose chart the pointer is in. */
  metric: string;
  /** The line nearest to the pointer. */
  id: string | null;
}

/** Where the pointer is, for all charts of a view and the one readout. */
export class Hover {
  get current(): IHover | null {
    return this._current;
  }

  set(next: IHover | null): void {
    this._next = next;
    this._asked ||= requestAnimationFrame(() => {
      this._asked = 0;
      this._current = this._next;
      this._listeners.forEach(notify => notify());
    });
  }

  readonly subscribe = (notify: () => void): (() => void) => {
    this._listeners.add(notify);
    return () => {
      this._listeners.delete(notify);
    };
  };

  private _current: IHover | null = null;
  private _next: IHover | null = null;
  private _asked = 0;
  private _listeners = new Set<() => void>();
}

export function useHover(hover: Hover): IHover | null {
  return useSyncExternalStore(hover.subscribe, () => hover.current);
}
