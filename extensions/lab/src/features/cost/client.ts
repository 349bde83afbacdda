import type { Cost, InstanceType, RunningItem } from '../../api/model';
import type { Requester } from '../../request';

/** What runs, and what it costs. */
export class CostClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  running(): Promise<RunningItem[]> {
    return this.request.get(`domains/${this.domain}/running`);
  }

  stop(id: string): Promise<unknown> {
    return this.request.post(`domains/${this.domain}/running/${encodeURIComponent(id)}/stop`);
  }

  stopAll(): Promise<unknown> {
    return this.request.post(`domains/${this.domain}/stop-all`);
  }

  cost(days = 30): Promise<Cost> {
    return this.request.get(`domains/${this.domain}/cost`, { days });
  }

  instanceTypes(): Promise<InstanceType[]> {
    return this.request.get('instance-types');
  }
}
