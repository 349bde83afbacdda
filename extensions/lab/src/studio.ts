import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ISignal, Signal } from '@lumino/signaling';

import { Client } from './api/client';
import type { Session } from './api/model';
import { EventStream } from './events';
import { Requester, StudioError } from './request';
import { asStudioError } from './resource';
import type { IStudio, PanelName } from './tokens';

export const OPEN = 'studio:open';

/** The one owner of session, client and event stream in this page. */
export class Studio implements IStudio {
  constructor(
    readonly app: JupyterFrontEnd,
    readonly trans: TranslationBundle,
    readonly rendermime: IRenderMimeRegistry | null
  ) {
    this._requester = new Requester(app.serviceManager.serverSettings);
  }

  readonly cache = new Map<string, unknown>();

  get session(): Session | null {
    return this._session;
  }

  get error(): StudioError | null {
    return this._error;
  }

  get sessionChanged(): ISignal<this, void> {
    return this._sessionChanged;
  }

  get client(): Client {
    return required(this._client);
  }

  get events(): EventStream {
    return required(this._events);
  }

  /** Reads the session; tries again by itself while the server is away, not when it is absent. */
  async connect(): Promise<void> {
    window.clearTimeout(this._retry);
    try {
      const session = await this._requester.session();
      this._client ??= new Client(this._requester, session.domain);
      this._events ??= new EventStream(`${this._requester.socketBase}domains/${encodeURIComponent(session.domain)}/events`);
      this._session = session;
      this._error = null;
    } catch (error) {
      this._error = asStudioError(error);
      if (!this._error.isAbsent && this._error.status !== 401) {
        this._retry = window.setTimeout(() => void this.connect(), 2000);
      }
    }
    this._sessionChanged.emit();
  }

  open(panel: PanelName, item = ''): void {
    void this.app.commands.execute(OPEN, { panel, item });
  }

  private _requester: Requester;
  private _session: Session | null = null;
  private _error: StudioError | null = null;
  private _client: Client | null = null;
  private _events: EventStream | null = null;
  private _sessionChanged = new Signal<this, void>(this);
  private _retry = 0;
}

function required<T>(value: T | null): T {
  if (value === null) {
    throw new Error('Studio is not connected yet.');
  }
  return value;
}
