import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { Session, SessionAnswer } from './api/model';

/** What went wrong, why, and what to do next, as the server said it. */
export class StudioError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint = '',
    /** The character, from 0, at which a text that was sent goes wrong. */
    readonly position?: number
  ) {
    super(message);
    this.name = 'StudioError';
  }

  /** The lab answers but Studio's half is not behind it: somebody else's Jupyter, or the extension's server part is off. */
  get isAbsent(): boolean {
    return this.code === 'ABSENT';
  }
}

/** A file, or the beginning of one: `size` is that of the whole, in bytes. */
export interface IFile {
  data: Blob;
  size: number;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

interface IErrorBody {
  error?: { code?: string; message?: string; hint?: string; position?: number };
}

const SAFE = new Set(['GET', 'HEAD']);

/** The one place that talks HTTP: everything above it sees typed data or a `StudioError`. */
export class Requester {
  constructor(readonly settings: ServerConnection.ISettings = ServerConnection.makeSettings()) {}

  /** Address of Studio's API behind this lab, ending in a slash. */
  get base(): string {
    return URLExt.join(this.settings.baseUrl, 'studio/api/');
  }

  /** The same for websockets. */
  get socketBase(): string {
    return URLExt.join(this.settings.wsUrl, 'studio/api/');
  }

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.send<T>('GET', path + toQuery(query));
  }

  /** Address of a GET, for links that download. */
  url(path: string, query: Query = {}): string {
    return this.base + path + toQuery(query);
  }

  /** The first `most` bytes of a file. */
  async file(path: string, query: Query, most: number): Promise<IFile> {
    const response = await this.ask('GET', path + toQuery(query), { headers: { range: `bytes=0-${most - 1}` } });
    if (response.status === 416) {
      return { data: new Blob(), size: 0 };
    }
    if (!response.ok) {
      throw toError(response.status, parse(await response.text()), response.url);
    }
    const whole = Number(response.headers.get('content-range')?.split('/')[1] ?? response.headers.get('content-length') ?? NaN);
    const data = await head(response, most);
    return { data, size: Number.isFinite(whole) ? whole : data.size };
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.send<T>('POST', path, body);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.send<T>('PATCH', path, body);
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.send<T>('PUT', path, body);
  }

  delete(path: string): Promise<void> {
    return this.send<void>('DELETE', path);
  }

  /** Reads the session (and with it the header that unsafe calls must carry). */
  async session(): Promise<Session> {
    const session = await this.get<SessionAnswer>('session');
    const { domain } = session;
    if (!domain) {
      throw new StudioError(403, 'NO_DOMAIN', 'This lab belongs to no domain.', 'Open a domain from the sign-in page, or use an access key: a key belongs to one.');
    }
    this._csrf = session.csrf;
    return { ...session, domain };
  }

  private async send<T>(method: string, path: string, body?: unknown): Promise<T> {
    const safe = SAFE.has(method);
    if (!safe && this._csrf === null) {
      await this.session();
    }
    try {
      return await this.fetch<T>(method, path, body);
    } catch (error) {
      // A session renewed elsewhere has a new header value; ask once for it before giving up.
      if (safe || !(error instanceof StudioError) || error.status !== 403 || !/csrf/i.test(error.code + error.message)) {
        throw error;
      }
      await this.session();
      return this.fetch<T>(method, path, body);
    }
  }

  private async fetch<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (!SAFE.has(method) && this._csrf) {
      headers['x-studio-csrf'] = this._csrf;
    }
    const init: RequestInit = { method, headers };
    if (body !== undefined) {
      headers['content-type'] = 'application/json';
      init.body = JSON.stringify(body);
    }
    const response = await this.ask(method, path, init);
    const text = await response.text();
    const data = parse(text);
    if (!response.ok) {
      throw toError(response.status, data, response.url);
    }
    if (data === undefined && text !== '') {
      throw new StudioError(response.status, 'ABSENT', 'This Jupyter server has no Studio behind it.', ABSENT_HINT);
    }
    return data as T;
  }

  private async ask(method: string, path: string, init: RequestInit): Promise<Response> {
    try {
      return await ServerConnection.makeRequest(this.base + path, { ...init, method }, this.settings);
    } catch {
      throw new StudioError(0, 'OFFLINE', 'Studio does not answer.', 'It tries again by itself. If this stays, run `studio status` on the host.');
    }
  }

  private _csrf: string | null = null;
}

const ABSENT_HINT = 'Start Studio with `studio up` and open the lab from its address, or connect this server with an access key.';

/** What came first of a body; the rest is not read where the server sent more than was asked for. */
async function head(response: Response, most: number): Promise<Blob> {
  const reader = response.body?.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let left = most;
  while (reader && left > 0) {
    const { done, value } = await reader.read();
    if (done) {
      return new Blob(parts);
    }
    parts.push(value.slice(0, left));
    left -= value.length;
  }
  await reader?.cancel();
  return new Blob(parts);
}

function toQuery(query: Query): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return pairs.length ? '?' + new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString() : '';
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toError(status: number, data: unknown, url: string): StudioError {
  const said = (data as IErrorBody | undefined)?.error;
  if (said?.message) {
    return new StudioError(status, said.code ?? `HTTP_${status}`, said.message, said.hint ?? '', said.position);
  }
  if (status === 404) {
    return new StudioError(status, 'ABSENT', 'This Jupyter server has no Studio behind it.', ABSENT_HINT);
  }
  if (status === 401) {
    return new StudioError(status, 'SIGNED_OUT', 'You are signed out.', 'Reload the page to sign in again.');
  }
  return new StudioError(status, `HTTP_${status}`, `Studio answered ${status} to ${new URL(url, location.href).pathname}.`, 'Try again; `studio logs server` on the host has the reason.');
}
