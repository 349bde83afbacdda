import type { Example, Overview } from '../../api/model';
import type { Requester } from '../../request';

/** What a domain holds and runs right now, and the example to start with. */
export class HomeClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  overview(): Promise<Overview> {
    return this.request.get(`domains/${this.domain}/overview`);
  }

  /** Copies the example notebook into the person's folder and says where it lies. */
  example(): Promise<Example> {
    return this.request.post(`domains/${this.domain}/example`);
  }
}
