import type { Endpoint } from '../../api/model';

/** Why it is as it is, and below it the newest traceback: the form of a `StudioError`'s message. */
export function failureText(endpoint: Pick<Endpoint, 'reason' | 'events'>, otherwise = ''): string {
  const newest = [...endpoint.events].sort((a, b) => b.at_ms - a.at_ms).find(event => event.detail);
  return [endpoint.reason || otherwise, newest?.detail ?? ''].join('\n');
}
