import type { Job, LogPage } from '../../api/model';
import type { Requester } from '../../request';

/** Jobs: scripts run to their end. */
export class JobsClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  list(): Promise<Job[]> {
    return this.request.get(`domains/${this.domain}/jobs`);
  }

  get(id: string): Promise<Job> {
    return this.request.get(`domains/${this.domain}/jobs/${encodeURIComponent(id)}`);
  }

  stop(id: string): Promise<Job> {
    return this.request.post(`domains/${this.domain}/jobs/${encodeURIComponent(id)}/stop`);
  }

  log(id: string, offset: number): Promise<LogPage> {
    return this.request.get(`domains/${this.domain}/jobs/${encodeURIComponent(id)}/log`, { offset });
  }
}
