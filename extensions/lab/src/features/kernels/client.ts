import type { Exits } from '../../api/model';
import type { Requester } from '../../request';

/** How kernels and other processes ended. */
export class KernelsClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  /** The newest ends numbered above `since`, oldest first. */
  exits(since: number, limit = 50): Promise<Exits> {
    return this.request.get(`domains/${this.domain}/exits`, { since, limit });
  }
}
