import { useCallback, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';

import type { Run } from '../../../api/model';
import { ActiveContext, useStudio } from '../../../hooks';
import type { StudioError } from '../../../request';
import { CurveStore } from './curve-store';

export interface ICurvesView {
  store: CurveStore;
  /** Another number whenever some curve is another. */
  turn: number;
  error: StudioError | null;
}

/** Curves of these runs and metrics, for as long as the view lives; read only while somebody looks. */
export function useCurves(runs: readonly Run[], keys: readonly string[], isLog: boolean): ICurvesView {
  const studio = useStudio();
  const active = useContext(ActiveContext);
  const store = useMemo(() => new CurveStore(studio.client.experiments, studio.events), [studio]);
  useEffect(() => () => store.dispose(), [store]);
  useEffect(() => {
    store.isActive = active;
  }, [store, active]);
  useEffect(() => store.want({ runs, keys, isLog }), [store, runs, keys, isLog]);
  const subscribe = useCallback(
    (notify: () => void) => {
      store.changed.connect(notify);
      return () => {
        store.changed.disconnect(notify);
      };
    },
    [store]
  );
  const turn = useSyncExternalStore(subscribe, () => store.turn);
  return { store, turn, error: store.error };
}
