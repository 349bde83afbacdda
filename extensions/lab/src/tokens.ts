import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { Client } from './api/client';
import type { Session } from './api/model';
import type { EventStream } from './events';
import type { StudioError } from './request';

export type PanelName =
  | 'home'
  | 'data'
  | 'experiments'
  | 'run'
  | 'jobs'
  | 'models'
  | 'endpoints'
  | 'endpoint'
  | 'monitors'
  | 'environments'
  | 'domain'
  | 'cost'
  | 'dashboard';

/** What every part of Studio in this lab shares. `client` and `events` exist once the session is known. */
export interface IStudio {
  readonly app: JupyterFrontEnd;
  readonly trans: TranslationBundle;
  /** JupyterLab's renderers; none in a front end that does not have them. */
  readonly rendermime: IRenderMimeRegistry | null;
  readonly session: Session | null;
  readonly error: StudioError | null;
  readonly sessionChanged: ISignal<IStudio, void>;
  readonly client: Client;
  readonly events: EventStream;
  /** Last answers by key, so that a panel opened again shows at once what it showed before. */
  readonly cache: Map<string, unknown>;
  connect(): Promise<void>;
  open(panel: PanelName, item?: string): void;
}

export const IStudio = new Token<IStudio>('jupyterlab-studio:IStudio', 'Studio in this lab: session, client, events.');
