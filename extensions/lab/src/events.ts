import { ISignal, Signal } from '@lumino/signaling';
import type { IDisposable } from '@lumino/disposable';

export type Topic = 'domains' | 'policy' | 'volumes' | 'spaces' | 'runs' | 'experiments' | 'jobs' | 'endpoints' | 'alerts' | 'monitors' | 'models' | 'datasets' | 'environments' | 'members' | 'running' | 'cost';

/** `topic` is `*` when anything may have changed: after a gap in the stream, or on a tick of polling. */
export interface IChange {
  topic: Topic | '*';
  ids?: string[];
}

interface IWireEvent {
  topic: Topic;
  domain: string;
  ids?: string[];
}

const POLL_MS = 2000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15000;

/**
 * Tells that something changed, over one websocket; while that is down, a tick every 2 s stands in for it.
 * Nothing ticks while the page is hidden; coming back counts as one change of everything.
 */
export class EventStream implements IDisposable {
  constructor(private readonly url: string) {
    document.addEventListener('visibilitychange', this.onVisibility);
    this.connect();
    this._poll = window.setInterval(() => {
      if (!this.isLive && !document.hidden) {
        this._changed.emit({ topic: '*' });
      }
    }, POLL_MS);
  }

  get changed(): ISignal<this, IChange> {
    return this._changed;
  }

  get isLive(): boolean {
    return this._socket?.readyState === WebSocket.OPEN;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    document.removeEventListener('visibilitychange', this.onVisibility);
    window.clearInterval(this._poll);
    window.clearTimeout(this._retry);
    this._socket?.close();
    Signal.clearData(this);
  }

  private connect(): void {
    const socket = new WebSocket(this.url);
    this._socket = socket;
    socket.onopen = () => {
      this._delay = FIRST_RETRY_MS;
      this._changed.emit({ topic: '*' });
    };
    socket.onmessage = message => this.onMessage(String(message.data));
    socket.onclose = () => {
      if (!this._isDisposed) {
        this._retry = window.setTimeout(() => this.connect(), this._delay * (0.75 + Math.random() / 2));
        this._delay = Math.min(this._delay * 2, LAST_RETRY_MS);
      }
    };
  }

  private onMessage(text: string): void {
    let event: IWireEvent;
    try {
      event = JSON.parse(text) as IWireEvent;
    } catch {
      return;
    }
    if (typeof event.topic !== 'string') {
      return;
    }
    this._changed.emit({ topic: event.topic, ids: event.ids });
  }

  private readonly onVisibility = (): void => {
    if (!document.hidden) {
      this._changed.emit({ topic: '*' });
    }
  };

  private _changed = new Signal<this, IChange>(this);
  private _socket: WebSocket | null = null;
  private _poll = 0;
  private _retry = 0;
  private _delay = FIRST_RETRY_MS;
  private _isDisposed = false;
}
