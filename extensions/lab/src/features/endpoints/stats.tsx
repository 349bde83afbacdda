import { useEffect, useMemo, useRef, useState } from 'react';

import type { Endpoint } from '../../api/model';
import { formatCount, formatNumber } from '../../format';
import { useMoney, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { hue } from '../../ui';
import { Point } from '../../ui/scale';
import { ISample, StatsHistory, replicasOf } from './history';
import { ICurve, IMarker, LiveChart } from './livechart';

const histories = new Map<string, StatsHistory>();
const EVERY_MS = 2000;
const LEAST_MS = 60_000;
const NEAR_MS = 3000;

/** Five small live charts on one time axis, since this window was opened; what happened meanwhile is marked in them. */
export function Stats({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  const { trans } = useStudio();
  const money = useMoney();
  const { samples, now } = useHistory(endpoint);
  const [at, setAt] = useState<number | null>(null);
  const { stats } = endpoint;
  const first = samples[0]?.at ?? now;
  const last = samples[samples.length - 1];
  const from = Math.min(first, now - LEAST_MS);
  const markers = marked(endpoint, from, now);
  const read = at === null ? undefined : closest(samples, at);
  const curve = (name: string, pick: (sample: ISample) => number | null, color?: string): ICurve => ({ name, points: samples.map((s): Point => [s.at, pick(s) ?? NaN]), color });
  const shared = { from, to: now, markers, at, onPoint: setAt };
  const [p50, p99] = read ? [read.p50, read.p99] : [stats.p50_ms, stats.p99_ms];
  return (
    <div className="jp-Studio-liveRow">
      <LiveChart {...shared} label={trans.__('requests/s')} value={figure((read ?? last)?.perSecond)} curves={[curve('rate', s => s.perSecond)]} testId={TEST.endpointStat('rate')} />
      <LiveChart {...shared} label={trans.__('ms')} value={`${figure(p50)} / ${figure(p99)}`} curves={[curve('p99', s => s.p99, hue(1)), curve('p50', s => s.p50, hue(0))]} testId={TEST.endpointStat('latency')} />
      <LiveChart
        {...shared}
        label={trans.__('requests, errors')}
        value={`${formatCount(read?.requests ?? stats.requests)}, ${formatCount(read?.errors ?? stats.errors)}`}
        curves={[curve('errors', s => s.errorsPerSecond, 'var(--jp-error-color1)')]}
        testId={TEST.endpointStat('requests')}
      />
      <LiveChart
        {...shared}
        stepped
        label={trans.__('replicas, in flight')}
        value={read ? formatCount(read.replicas) : `${formatCount(replicasOf(endpoint))}, ${formatCount(stats.inflight)}`}
        curves={[curve('replicas', s => s.replicas)]}
        testId={TEST.endpointStat('replicas')}
      />
      <LiveChart {...shared} stepped label={trans.__('cost per hour')} value={money(read?.perHour ?? endpoint.price_per_hour)} curves={[curve('cost', s => s.perHour, hue(2))]} testId={TEST.endpointStat('cost')} />
    </div>
  );
}

/** What was sampled while this window is open; kept when the tab is closed and opened again. */
function useHistory(endpoint: Endpoint): { samples: ISample[]; now: number } {
  const { session } = useStudio();
  const key = `${session?.domain}/${endpoint.name}/${endpoint.created_ms}`;
  const history = useMemo(() => {
    const kept = histories.get(key) ?? new StatsHistory();
    histories.set(key, kept);
    return kept;
  }, [key]);
  const [now, setNow] = useState(Date.now);
  const latest = useRef(endpoint);
  latest.current = endpoint;
  useEffect(() => {
    const sample = (): void => {
      if (!document.hidden) {
        history.add(latest.current, Date.now());
        setNow(Date.now());
      }
    };
    sample();
    const timer = window.setInterval(sample, EVERY_MS);
    return () => window.clearInterval(timer);
  }, [history]);
  return { samples: history.samples, now };
}

/** What happened between; what followed within some seconds is one mark. */
function marked(endpoint: Endpoint, from: number, to: number): IMarker[] {
  const markers: IMarker[] = [];
  for (const event of [...endpoint.events].sort((a, b) => a.at_ms - b.at_ms).filter(e => e.at_ms > from && e.at_ms <= to)) {
    const last = markers[markers.length - 1];
    if (last && event.at_ms - last.at < NEAR_MS) {
      last.text += `\n${event.text}`;
    } else {
      markers.push({ at: event.at_ms, text: event.text });
    }
  }
  return markers;
}

function closest(samples: ISample[], at: number): ISample | undefined {
  return samples.reduce<ISample | undefined>((best, sample) => (!best || Math.abs(sample.at - at) < Math.abs(best.at - at) ? sample : best), undefined);
}

function figure(value: number | null | undefined): string {
  return formatNumber(value === null || value === undefined ? null : Number(value.toPrecision(3)));
}
