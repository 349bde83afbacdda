import type { ModelVersion, RegisteredModel, RegisteredModelDetail } from '../../api/model';
import type { Requester } from '../../request';

/** The registry: models, versions, aliases. */
export class ModelsClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  list(): Promise<RegisteredModel[]> {
    return this.request.get(`domains/${this.domain}/models`);
  }

  get(name: string): Promise<RegisteredModelDetail> {
    return this.request.get(this.path(name));
  }

  /** Makes a new version of `name` from what the run logged. */
  register(name: string, runId: string, artifactPath?: string | null): Promise<ModelVersion> {
    const body = artifactPath ? { run_id: runId, artifact_path: artifactPath } : { run_id: runId };
    return this.request.post(`${this.path(name)}/versions`, body);
  }

  setAlias(name: string, alias: string, version: number | string): Promise<unknown> {
    return this.request.put(`${this.path(name)}/aliases/${encodeURIComponent(alias)}`, { version });
  }

  private path(name: string): string {
    return `domains/${this.domain}/models/${encodeURIComponent(name)}`;
  }
}
