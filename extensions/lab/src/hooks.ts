import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import type { Client } from './api/client';
import { formatMoney } from './format';
import type { StudioError } from './request';
import { IResourceOptions, ISnapshot, Resource, asStudioError } from './resource';
import type { IStudio } from './tokens';

export const StudioContext = createContext<IStudio | null>(null);

/** Whether the panel around is the one shown; hidden ones read nothing. */
export const ActiveContext = createContext(true);

export function useStudio(): IStudio {
  const studio = useContext(StudioContext);
  if (!studio) {
    throw new Error('A Studio view was drawn outside of its panel.');
  }
  return studio;
}

/** Writes amounts in the installation's currency. */
export function useMoney(): (amount: number | null | undefined) => string {
  const currency = useStudio().session?.currency;
  return amount => formatMoney(amount, currency);
}

export interface IResourceView<T> extends ISnapshot<T> {
  refresh: () => Promise<void>;
}

interface IHookOptions extends IResourceOptions {
  /** Keep showing the answer for the last key until the new one is there (a filter typed further). */
  keep?: boolean;
}

/** A `Resource` for as long as the view lives. `key` names what is read; null reads nothing. */
export function useResource<T>(key: string | null, load: (client: Client) => Promise<T>, options: IHookOptions): IResourceView<T> {
  const studio = useStudio();
  const active = useContext(ActiveContext);
  const loader = useRef(load);
  loader.current = load;
  const last = useRef<T | undefined>(undefined);
  const topics = options.topics.join();
  const { everyMs, keep, id } = options;

  const resource = useMemo(() => {
    if (key === null) {
      return null;
    }
    const read = async (): Promise<T> => {
      const data = await loader.current(studio.client);
      studio.cache.set(key, data);
      return data;
    };
    const wanted = { topics: (topics ? topics.split(',') : []) as unknown as IResourceOptions['topics'], everyMs, id };
    return new Resource<T>(read, studio.events, wanted, studio.cache.get(key) as T | undefined);
  }, [studio, key, topics, everyMs, id]);

  useEffect(() => () => resource?.dispose(), [resource]);
  useEffect(() => {
    if (resource) {
      resource.isActive = active;
    }
  }, [resource, active]);

  const subscribe = useCallback(
    (notify: () => void) => {
      resource?.changed.connect(notify);
      return () => {
        resource?.changed.disconnect(notify);
      };
    },
    [resource]
  );
  const snapshot = useSyncExternalStore(subscribe, () => resource?.snapshot ?? EMPTY);
  if (snapshot.data !== undefined) {
    last.current = snapshot.data;
  }
  const refresh = useCallback(async () => resource?.refresh(), [resource]);
  const data = (snapshot.data ?? (keep ? last.current : undefined));
  return { data, error: snapshot.error, refresh };
}

const EMPTY: ISnapshot<undefined> = { data: undefined, error: undefined };

export interface IAction<A extends unknown[]> {
  run: (...args: A) => Promise<boolean>;
  busy: boolean;
  error: StudioError | undefined;
  clear: () => void;
}

/** An act with its waiting and its error; `run` resolves to whether it went well. */
export function useAction<A extends unknown[]>(act: (...args: A) => Promise<unknown>): IAction<A> {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<StudioError>();
  const latest = useRef(act);
  latest.current = act;
  const alive = useRef(true);
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);
  const run = useCallback(async (...args: A): Promise<boolean> => {
    setBusy(true);
    setError(undefined);
    try {
      await latest.current(...args);
      return true;
    } catch (caught) {
      if (alive.current) {
        setError(asStudioError(caught));
      }
      return false;
    } finally {
      if (alive.current) {
        setBusy(false);
      }
    }
  }, []);
  const clear = useCallback(() => setError(undefined), []);
  return { run, busy, error, clear };
}

/** Redraws every `ms` so that relative times stay true. */
export function useNow(ms = 5000): number {
  const [now, setNow] = useState(Date.now);
  const active = useContext(ActiveContext);
  useEffect(() => {
    if (!active) {
      return;
    }
    const timer = window.setInterval(() => setNow(Date.now()), ms);
    return () => window.clearInterval(timer);
  }, [ms, active]);
  return now;
}

/** The element's width in CSS pixels, kept up to date. */
export function useWidth<E extends HTMLElement>(fallback = 480): [React.RefObject<E>, number] {
  const ref = useRef<E>(null);
  const [width, setWidth] = useState(fallback);
  useEffect(() => {
    const element = ref.current;
    if (!element) {
      return;
    }
    const observer = new ResizeObserver(() => setWidth(element.clientWidth || fallback));
    observer.observe(element);
    setWidth(element.clientWidth || fallback);
    return () => observer.disconnect();
  }, [fallback]);
  return [ref, width];
}
