import type { CapturedRows, Endpoint, EndpointSummary, InstanceType, NewEndpoint, Prediction } from '../../api/model';
import type { Requester } from '../../request';

/** Endpoints: what is served, and asking it. */
export class EndpointsClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  list(): Promise<EndpointSummary[]> {
    return this.request.get(`domains/${this.domain}/endpoints`);
  }

  get(name: string): Promise<Endpoint> {
    return this.request.get(this.path(name));
  }

  create(endpoint: NewEndpoint): Promise<Endpoint> {
    return this.request.post(`domains/${this.domain}/endpoints`, endpoint);
  }

  promote(name: string, version: number | string): Promise<Endpoint> {
    return this.request.post(`${this.path(name)}/promote`, { version });
  }

  undo(name: string): Promise<Endpoint> {
    return this.request.post(`${this.path(name)}/undo`);
  }

  delete(name: string): Promise<void> {
    return this.request.delete(this.path(name));
  }

  /** Asks the endpoint with the person's session; the body is that of `/invocations`. */
  invoke(name: string, body: unknown): Promise<Prediction> {
    return this.request.post(`${this.path(name)}/invoke`, body);
  }

  captures(name: string, limit = 100): Promise<CapturedRows> {
    return this.request.get(`${this.path(name)}/captures`, { limit });
  }

  instanceTypes(): Promise<InstanceType[]> {
    return this.request.get('instance-types');
  }

  private path(name: string): string {
    return `domains/${this.domain}/endpoints/${encodeURIComponent(name)}`;
  }
}
