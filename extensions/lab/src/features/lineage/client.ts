import type { Lineage } from '../../api/model';
import type { Requester } from '../../request';

export interface ILineageOf {
  kind: 'dataset' | 'run' | 'model' | 'endpoint';
  name: string;
  version?: number;
}

/** What something was made of, and what was made of it. */
export class LineageClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  of({ kind, name, version }: ILineageOf): Promise<Lineage> {
    return this.request.get(`domains/${this.domain}/lineage`, { kind, name, version });
  }
}
