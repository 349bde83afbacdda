import type { Alert, Monitor, MonitorDetail, RowSet } from '../../api/model';
import type { Requester } from '../../request';

/** Monitors and the alerts they raise. */
export class MonitorsClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  list(): Promise<Monitor[]> {
    return this.request.get(`domains/${this.domain}/monitors`);
  }

  get(endpoint: string): Promise<MonitorDetail> {
    return this.request.get(`domains/${this.domain}/monitors/${encodeURIComponent(endpoint)}`);
  }

  /** Runs a check on the newest captured rows and waits for it. */
  check(endpoint: string): Promise<MonitorDetail> {
    return this.request.post(`domains/${this.domain}/monitors/${encodeURIComponent(endpoint)}/check`);
  }

  alerts(state?: 'Open' | 'Resolved'): Promise<Alert[]> {
    return this.request.get(`domains/${this.domain}/alerts`, { state });
  }

  alertRows(id: string, limit = 200): Promise<RowSet> {
    return this.request.get(`domains/${this.domain}/alerts/${encodeURIComponent(id)}/rows`, { limit });
  }
}
