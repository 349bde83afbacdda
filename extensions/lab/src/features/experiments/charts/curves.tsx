import { useCallback, useEffect, useMemo, useState } from 'react';

import type { Run } from '../../../api/model';
import { useStudio } from '../../../hooks';
import { ErrorBox } from '../../../ui';
import { csvOf } from './csv';
import { Curve, IZoom } from './curve';
import type { ICurve } from './curve-data';
import { Hover } from './hover';
import { CurvesLegend, ILegendEntry } from './legend';
import { ISeriesLine, Scale, groupsOf, seriesOf } from './series';
import { ChartsState, hasCurve, shownMetrics } from './state';
import { stepsWithin } from './steps';
import { CurvesToolbar } from './toolbar';
import { useCurves } from './use-curves';

interface ICurvesTabProps {
  runs: Run[];
  /** Metrics with more than one value. */
  drawable: string[];
  params: string[];
  hues: ReadonlyMap<string, number>;
  state: ChartsState;
  onChange: (change: Partial<ChartsState>) => void;
}

const NO_ZOOM: IZoom = { x: null, y: null };
const DETAIL_MS = 250;

/** One small chart for each metric. */
export function CurvesTab({ runs, drawable, params, hues, state, onChange }: ICurvesTabProps): JSX.Element {
  const { trans } = useStudio();
  const shown = useMemo(() => shownMetrics(drawable, state), [drawable, state]);
  const { store, turn, error } = useCurves(runs, shown, state.logX && state.x === 'step');
  const [hover] = useState(() => new Hover());
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [large, setLarge] = useState<string | null>(null);
  const [zooms, setZooms] = useState<Readonly<Record<string, IZoom>>>({});
  const [detail, setDetail] = useState<ReadonlyMap<string, ICurve>>(new Map());

  const { x, logX, logY, smoothing, groupBy, linked, clip } = state;
  const scale = useMemo((): Scale => ({ x, logX: logX && x !== 'time', logY, smoothing }), [x, logX, logY, smoothing]);
  useEffect(() => setZooms({}), [x, scale.logX]);

  const common = zooms[ALL]?.x ?? null;
  useEffect(() => {
    setDetail(new Map());
    const steps = common && stepsWithin(runs.flatMap(run => shown.map(key => ({ run, curve: store.get(run.run_id, key) }))), common, scale);
    if (!steps) {
      return;
    }
    let isCurrent = true;
    // What was thinned away comes once the zoom stands still; until then the thinned curve is shown larger.
    const timer = window.setTimeout(() => void store.within(...steps).then(found => isCurrent && setDetail(found), () => undefined), DETAIL_MS);
    return () => {
      isCurrent = false;
      window.clearTimeout(timer);
    };
  }, [common, scale, runs, shown, store]);

  const lines = useMemo(() => {
    void turn;
    return new Map(shown.map(key => [key, linesOf(key, runs, hues, scale, groupBy, hidden, (id, metric) => detail.get(`${id}/${metric}`) ?? store.get(id, metric))]));
  }, [shown, runs, hues, scale, groupBy, hidden, detail, store, turn]);

  const onZoom = useCallback(
    (metric: string, zoom: IZoom | null) =>
      setZooms(before => {
        if (!zoom) {
          return linked ? {} : { ...before, [ALL]: NO_ZOOM, [metric]: NO_ZOOM };
        }
        return linked ? { ...before, [ALL]: { x: zoom.x, y: null }, [metric]: zoom } : { ...before, [metric]: zoom };
      }),
    [linked]
  );
  const onLarge = useCallback((metric: string) => setLarge(before => (before === metric ? null : metric)), []);
  const { pinned } = state;
  const onPin = useCallback(
    (metric: string) => onChange({ pinned: pinned.includes(metric) ? pinned.filter(key => key !== metric) : [...pinned, metric] }),
    [pinned, onChange]
  );
  const onHide = (id: string): void => setHidden(before => new Set(before.has(id) ? [...before].filter(other => other !== id) : [...before, id]));
  const entries = useMemo(() => legendOf(runs, hues, groupBy, lines), [runs, hues, groupBy, lines]);

  if (drawable.length === 0) {
    return <p className="jp-Studio-chartNone">{trans.__('These runs logged single values only: scatter, parallel coordinates and compare show them.')}</p>;
  }
  return (
    <>
      <CurvesToolbar state={state} onChange={onChange} metrics={drawable} shown={shown} params={params} isZoomed={Object.values(zooms).some(zoom => zoom.x ?? zoom.y)} onReset={() => setZooms({})} />
      {error && <ErrorBox error={error} onRetry={() => store.retry()} />}
      <div className="jp-Studio-chartBody">
        <CurvesLegend entries={entries} hidden={hidden} onHide={onHide} hover={hover} linesOf={metric => lines.get(metric) ?? []} scale={scale} />
        <div className="jp-Studio-chartGrid">
          {shown.map(metric => (
            <Curve
              key={metric}
              metric={metric}
              lines={lines.get(metric) ?? []}
              scale={scale}
              clip={clip}
              zoom={zoomOf(zooms, metric, linked)}
              hover={hover}
              height={large === metric ? 420 : 184}
              isPending={!error && runs.some(run => hasCurve(run, metric) && store.get(run.run_id, metric) === undefined)}
              isLarge={large === metric}
              isPinned={pinned.includes(metric)}
              onZoom={onZoom}
              onLarge={onLarge}
              onPin={onPin}
              csv={() => curveCsv(metric, runs, store.get.bind(store))}
            />
          ))}
        </div>
      </div>
    </>
  );
}

/** The name under which the zoom of all charts is kept; metrics have names. */
const ALL = '';

const kept = new WeakMap<object, Map<string, IZoom>>();

/** The chart's own zoom, or with charts that zoom together the common one; the same object while nothing changes. */
function zoomOf(zooms: Readonly<Record<string, IZoom>>, metric: string, linked: boolean): IZoom {
  const known = kept.get(zooms) ?? new Map<string, IZoom>();
  kept.set(zooms, known);
  const name = `${linked}/${metric}`;
  const own = zooms[metric];
  const common = linked ? zooms[ALL] : undefined;
  const zoom = known.get(name) ?? (common?.x ? { x: common.x, y: own?.y ?? null } : own ?? NO_ZOOM);
  known.set(name, zoom);
  return zoom;
}

function linesOf(
  metric: string,
  runs: readonly Run[],
  hues: ReadonlyMap<string, number>,
  scale: Scale,
  groupBy: string,
  hidden: ReadonlySet<string>,
  curveOf: (id: string, metric: string) => ICurve | null | undefined
): ISeriesLine[] {
  const own = groupBy ? { ...scale, logY: false } : scale;
  const lines = runs.flatMap(run => {
    const curve = curveOf(run.run_id, metric);
    return curve && (groupBy || !hidden.has(run.run_id)) ? [seriesOf(curve, run, hues.get(run.run_id) ?? 0, own)] : [];
  });
  if (!groupBy) {
    return lines;
  }
  const group = new Map(runs.map(run => [run.run_id, run.params[groupBy] ?? '–']));
  return groupsOf(lines, id => group.get(id) ?? '–', scale.logY).filter(line => !hidden.has(line.id));
}

function legendOf(runs: readonly Run[], hues: ReadonlyMap<string, number>, groupBy: string, lines: ReadonlyMap<string, readonly ISeriesLine[]>): ILegendEntry[] {
  if (!groupBy) {
    return runs.map(run => ({ id: run.run_id, name: run.name, hue: hues.get(run.run_id) ?? 0 }));
  }
  const groups = new Map<string, ILegendEntry>();
  lines.forEach(list => list.forEach(({ id, name, hue }) => groups.set(id, { id, name: `${groupBy} = ${name}`, hue })));
  return [...groups.values()];
}

function curveCsv(metric: string, runs: readonly Run[], curveOf: (id: string, metric: string) => ICurve | null | undefined): string {
  const rows = runs.flatMap(run => (curveOf(run.run_id, metric)?.points ?? []).map(([step, ts, value]) => [run.run_id, run.name, step, new Date(ts).toISOString(), value]));
  return csvOf(['run_id', 'run', 'step', 'time', metric], rows);
}

