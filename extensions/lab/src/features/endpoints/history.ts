import type { EndpointStats } from '../../api/model';

export interface ISample {
  at: number;
  requests: number;
  errors: number;
  perSecond: number;
  errorsPerSecond: number;
  p50: number | null;
  p99: number | null;
}

const KEPT = 60;

/** What the figures of one endpoint were while this window was open; counters become rates. */
export class StatsHistory {
  readonly samples: ISample[] = [];

  add(stats: EndpointStats, at: number): void {
    const last = this.samples[this.samples.length - 1];
    const seconds = last ? (at - last.at) / 1000 : 0;
    if (last && seconds < 0.5) {
      return;
    }
    // A gateway that was started again counts from nought.
    const rate = (now: number, before: number): number => (last && seconds > 0 ? Math.max(0, now < before ? now : now - before) / seconds : 0);
    this.samples.push({
      at,
      requests: stats.requests,
      errors: stats.errors,
      perSecond: rate(stats.requests, last?.requests ?? 0),
      errorsPerSecond: rate(stats.errors, last?.errors ?? 0),
      p50: stats.p50_ms ?? null,
      p99: stats.p99_ms ?? null
    });
    if (this.samples.length > KEPT) {
      this.samples.shift();
    }
  }
}
