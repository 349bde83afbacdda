import { useEffect, useMemo, useRef, useState } from 'react';

import type { Endpoint } from '../../api/model';
import { formatCount, formatNumber } from '../../format';
import { useMoney, useStudio, useWidth } from '../../hooks';
import { TEST } from '../../testids';
import { Metric, Sparkline, hue } from '../../ui';
import { StatsHistory } from './history';

const histories = new Map<string, StatsHistory>();

/** Five small live charts on one time axis: since this window was opened. */
export function Stats({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  const { trans, session } = useStudio();
  const money = useMoney();
  const key = `${session?.domain}/${endpoint.name}`;
  const history = useMemo(() => {
    const kept = histories.get(key) ?? new StatsHistory();
    histories.set(key, kept);
    return kept;
  }, [key]);
  const [, redraw] = useState(0);
  const latest = useRef(endpoint.stats);
  latest.current = endpoint.stats;
  useEffect(() => {
    const sample = (): void => {
      if (latest.current && !document.hidden) {
        history.add(latest.current, Date.now());
        redraw(turn => turn + 1);
      }
    };
    sample();
    const timer = window.setInterval(sample, 2000);
    return () => window.clearInterval(timer);
  }, [history]);

  const samples = history.samples;
  const last = samples[samples.length - 1];
  const stats = endpoint.stats;
  const replicas = endpoint.variants.flatMap(v => v.replicas);
  const figures = (pick: (s: (typeof samples)[number]) => number | null): number[] => samples.map(s => pick(s) ?? 0);
  return (
    <div className="jp-Studio-stats">
      <Stat name="rate" label={trans.__('requests/s')} value={formatNumber(round(last?.perSecond))} values={figures(s => s.perSecond)} />
      <Stat name="latency" label={trans.__('p50 / p99, ms')} value={`${formatNumber(round(stats?.p50_ms))} / ${formatNumber(round(stats?.p99_ms))}`} values={figures(s => s.p99)} />
      <Stat name="requests" label={trans.__('requests, errors')} value={`${formatCount(stats?.requests)}, ${formatCount(stats?.errors)}`} values={figures(s => s.errorsPerSecond)} color="var(--jp-error-color1)" />
      <Stat name="replicas" label={trans.__('replicas, in flight')} value={`${replicas.length}, ${formatCount(stats?.inflight ?? 0)}`} />
      <Stat name="cost" label={trans.__('cost per hour')} value={money(endpoint.price_per_hour)} />
    </div>
  );
}

function round(value: number | null | undefined): number | null {
  return value === null || value === undefined ? null : Number(value.toPrecision(3));
}

function Stat({ name, label, value, values, color = hue(0) }: { name: string; label: string; value: string; values?: number[]; color?: string }): JSX.Element {
  const [box, width] = useWidth<HTMLDivElement>(160);
  return (
    <Metric label={label} value={value} testId={TEST.endpointStat(name)}>
      <div ref={box}>{values && <Sparkline values={values} width={width} height={32} color={color} fill zero slots={60} />}</div>
    </Metric>
  );
}
