import type { Endpoint } from '../../api/model';

export interface ISample {
  at: number;
  requests: number;
  errors: number;
  perSecond: number;
  errorsPerSecond: number;
  p50: number | null;
  p99: number | null;
  replicas: number;
  perHour: number;
}

type Figures = Pick<Endpoint, 'stats' | 'variants' | 'price_per_hour'>;

const KEPT = 120;

/** Processes that answer or are about to. */
export function replicasOf(endpoint: Pick<Endpoint, 'variants'>): number {
  return endpoint.variants.flatMap(v => v.replicas).filter(r => r.state === 'Ready' || r.state === 'Starting').length;
}

/** What the figures of one endpoint were while this window was open; counters become rates. */
export class StatsHistory {
  readonly samples: ISample[] = [];

  add(endpoint: Figures, at: number): void {
    const last = this.samples[this.samples.length - 1];
    const seconds = last ? (at - last.at) / 1000 : 0;
    if (last && seconds < 0.5) {
      return;
    }
    const { stats } = endpoint;
    // A gateway that was started again counts from nought.
    const rate = (now: number, before: number): number => (last && seconds > 0 ? Math.max(0, now < before ? now : now - before) / seconds : 0);
    this.samples.push({
      at,
      requests: stats.requests,
      errors: stats.errors,
      perSecond: rate(stats.requests, last?.requests ?? 0),
      errorsPerSecond: rate(stats.errors, last?.errors ?? 0),
      p50: stats.p50_ms ?? null,
      p99: stats.p99_ms ?? null,
      replicas: replicasOf(endpoint),
      perHour: endpoint.price_per_hour
    });
    if (this.samples.length > KEPT) {
      this.samples.shift();
    }
  }
}
