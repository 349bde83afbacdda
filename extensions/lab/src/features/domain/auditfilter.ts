import type { Query } from '../../request';

/** What is looked for in the audit log; empty is any. `days` back from now, 0 for any time. */
export interface IAuditFilter {
  user: string;
  action: string;
  resource: string;
  outcome: string;
  days: number;
}

export const SPANS = [0, 1, 7, 30] as const;

const DAY_MS = 86_400_000;

export function queryOf({ days, ...filter }: IAuditFilter, now: number): Query {
  // To the minute, so that the same question keeps its address while it is asked again.
  const since = days ? Math.floor((now - days * DAY_MS) / 60_000) * 60_000 : undefined;
  return { ...filter, since_ms: since };
}
