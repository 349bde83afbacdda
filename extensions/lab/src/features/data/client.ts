import type { DataSet, DataSetDetail } from '../../api/model';
import type { Requester } from '../../request';

/** Data sets of the domain. */
export class DataClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  list(): Promise<DataSet[]> {
    return this.request.get(`domains/${this.domain}/datasets`);
  }

  get(name: string): Promise<DataSetDetail> {
    return this.request.get(`domains/${this.domain}/datasets/${encodeURIComponent(name)}`);
  }

  register(name: string, path: string): Promise<DataSet> {
    return this.request.post(`domains/${this.domain}/datasets`, { name, path });
  }
}
