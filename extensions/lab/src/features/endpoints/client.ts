import type { CapturedRows, Endpoint, EndpointChange, EndpointLog, EndpointSummary, InstanceType, NewEndpoint, NewVariant, Prediction, Strategy, WakeTimes } from '../../api/model';
import type { Requester } from '../../request';

/** Endpoints: what is served, by which variants, and asking it. */
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

  /** Without a strategy all of the traffic moves at once. */
  promote(name: string, version: number | string, strategy?: Strategy): Promise<Endpoint> {
    return this.request.post(`${this.path(name)}/promote`, { version: Number(version), ...(strategy && { strategy }) });
  }

  undo(name: string): Promise<Endpoint> {
    return this.request.post(`${this.path(name)}/undo`);
  }

  /** To zero, whatever its mode; the next request wakes it. */
  stop(name: string): Promise<unknown> {
    return this.request.post(`domains/${this.domain}/running/${encodeURIComponent(`endpoint:${name}`)}/stop`);
  }

  delete(name: string): Promise<void> {
    return this.request.delete(this.path(name));
  }

  change(name: string, change: EndpointChange): Promise<Endpoint> {
    return this.request.patch(this.path(name), change);
  }

  setWeights(name: string, weights: Record<string, number>): Promise<Endpoint> {
    return this.request.put(`${this.path(name)}/weights`, { weights });
  }

  addVariant(name: string, variant: NewVariant): Promise<Endpoint> {
    return this.request.post(`${this.path(name)}/variants`, variant);
  }

  limitVariant(name: string, variant: string, least: number, most: number): Promise<Endpoint> {
    return this.request.patch(this.variant(name, variant), { min_replicas: least, max_replicas: most });
  }

  removeVariant(name: string, variant: string): Promise<void> {
    return this.request.delete(this.variant(name, variant));
  }

  /** Asks the endpoint with the person's session; the body is that of `/invocations`. */
  invoke(name: string, body: unknown): Promise<Prediction> {
    return this.request.post(`${this.path(name)}/invoke`, body);
  }

  captures(name: string, limit = 100): Promise<CapturedRows> {
    return this.request.get(`${this.path(name)}/captures`, { limit });
  }

  /** The ends of what its replicas printed. */
  log(name: string): Promise<EndpointLog> {
    return this.request.get(`${this.path(name)}/log`);
  }

  /** Address of the endpoint's OpenAPI document. */
  openApi(name: string): string {
    return this.request.url(`${this.path(name)}/openapi.json`);
  }

  instanceTypes(): Promise<InstanceType[]> {
    return this.request.get('instance-types');
  }

  /** How long callers waited for endpoints of this domain that they woke, by environment. */
  wakeTimes(): Promise<WakeTimes[]> {
    return this.request.get(`domains/${this.domain}/wake-times`);
  }

  private path(name: string): string {
    return `domains/${this.domain}/endpoints/${encodeURIComponent(name)}`;
  }

  private variant(name: string, variant: string): string {
    return `${this.path(name)}/variants/${encodeURIComponent(variant)}`;
  }
}
