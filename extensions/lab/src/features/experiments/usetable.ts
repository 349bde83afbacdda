import { useCallback, useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

import type { Run, RunKeys, RunSelection } from '../../api/model';
import type { IChange } from '../../events';
import { ActiveContext, useStudio } from '../../hooks';
import { differing, isLive } from './columns';
import { RunTableModel } from './model';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Runs whose curves are drawn at once. */
export const CHARTED = 100;
/** Runs in training that are drawn without being chosen. */
const LIVE = 12;

/** The model of this table for as long as the view lives; drawn again when it changes. */
export function useTable(): { model: RunTableModel; version: number } {
  const studio = useStudio();
  const isActive = useContext(ActiveContext);
  const model = useMemo(() => new RunTableModel(() => studio.client.runs, studio.events), [studio]);
  useEffect(() => () => model.dispose(), [model]);
  useEffect(() => {
    model.isActive = isActive;
  }, [model, isActive]);
  const subscribe = useCallback(
    (notify: () => void) => {
      model.changed.connect(notify);
      return () => {
        model.changed.disconnect(notify);
      };
    },
    [model]
  );
  const version = useSyncExternalStore(subscribe, () => model.version);
  return { model, version };
}

/** Keys that could be columns; read after the first rows are there, again only for other experiments. */
export function useKeys(selection: RunSelection, isReady: boolean): RunKeys | undefined {
  const { client, cache } = useStudio();
  const key = `run-keys/${JSON.stringify([selection.experiment_ids, selection.view])}`;
  const [keys, setKeys] = useState(() => cache.get(key) as RunKeys | undefined);
  const over = useRef(selection);
  over.current = selection;
  useEffect(() => {
    if (!isReady) {
      return;
    }
    let isOld = false;
    setKeys(cache.get(key) as RunKeys | undefined);
    void client.runs.keys({ ...over.current, filter: '' }).then(
      found => {
        cache.set(key, found);
        if (!isOld) {
          setKeys(found);
        }
      },
      // The chooser then lists what the rows in sight have.
      () => undefined
    );
    return () => {
      isOld = true;
    };
  }, [client, cache, key, isReady]);
  return keys;
}

/** Everything of the chosen runs, else of those that train right now; read again when they change. */
export function usePicked(model: RunTableModel, selected: ReadonlySet<number>, version: number): Run[] {
  const { client, events } = useStudio();
  const isActive = useContext(ActiveContext);
  const [found, setFound] = useState<Run[]>([]);
  const numbers = useMemo(() => {
    if (selected.size) {
      return [...selected].slice(0, CHARTED);
    }
    const since = Date.now() - DAY_MS;
    const live: number[] = [];
    for (let at = 0; at < 60 && live.length < LIVE; at += 1) {
      const line = model.lineAt(at);
      if (line && !('kind' in line) && isLive(line) && line.start_ms > since) {
        live.push(line.number);
      }
    }
    return live;
    // The version says when lines may have changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [model, selected, version]);
  const key = numbers.join();
  useEffect(() => {
    if (!key || !isActive) {
      return;
    }
    let isOld = false;
    let timer = 0;
    const load = async (): Promise<void> => {
      const runs = await client.runs.rows({ numbers: key.split(',').map(Number), columns: null }).catch(() => null);
      timer = 0;
      if (runs && !isOld) {
        setFound(before => (JSON.stringify(before) === JSON.stringify(runs) ? before : runs));
      }
    };
    const onChange = (_: unknown, change: IChange): void => {
      const concerns = change.topic === '*' || (change.topic === 'runs' && (!change.ids?.length || change.ids.some(id => numbers.includes(model.rows.numberOf(id) ?? -1))));
      if (concerns && !timer) {
        timer = window.setTimeout(() => void load(), 400);
      }
    };
    void load();
    events.changed.connect(onChange);
    return () => {
      isOld = true;
      window.clearTimeout(timer);
      events.changed.disconnect(onChange);
    };
    // The key is the numbers.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, events, model, key, isActive]);
  return useMemo(() => (key ? found.filter(run => numbers.includes(run.number)) : []), [found, key, numbers]);
}

/** Which of the columns differ among the chosen runs, or among all that match; null while nobody asks. */
export function useDiffering(isAsked: boolean, selection: RunSelection, columns: string[], picked: Run[], isChosen: boolean, version: number): Set<string> | null {
  const { client } = useStudio();
  const [found, setFound] = useState<{ key: string; columns: Set<string> } | null>(null);
  const asksServer = isAsked && !(isChosen && picked.length > 1);
  const key = JSON.stringify([selection, columns]);
  const over = useRef({ selection, columns });
  over.current = { selection, columns };
  useEffect(() => {
    if (!asksServer) {
      return;
    }
    let isOld = false;
    const timer = window.setTimeout(() => {
      void client.runs.varying(over.current.selection, over.current.columns).then(
        names => !isOld && setFound({ key, columns: new Set(names) }),
        () => undefined
      );
    }, 100);
    return () => {
      isOld = true;
      window.clearTimeout(timer);
    };
  }, [client, asksServer, key]);
  return useMemo(() => {
    if (!isAsked) {
      return null;
    }
    return asksServer ? (found?.columns ?? null) : differing(picked, columns);
    // The version says when the picked runs may have changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isAsked, asksServer, found, picked, key, version]);
}
