import type { Environment, EnvironmentDetail } from '../../api/model';
import type { Requester } from '../../request';

/** Named Python environments of the installation. */
export class EnvironmentsClient {
  constructor(private readonly request: Requester) {}

  list(): Promise<Environment[]> {
    return this.request.get('environments');
  }

  get(name: string): Promise<EnvironmentDetail> {
    return this.request.get(`environments/${encodeURIComponent(name)}`);
  }

  build(name: string): Promise<Environment> {
    return this.request.post(`environments/${encodeURIComponent(name)}/build`);
  }
}
