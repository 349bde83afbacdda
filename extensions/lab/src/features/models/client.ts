import type { Decision, ModelCard, ModelFile, ModelVersion, RegisteredModel, RegisteredModelDetail, RegistryChange } from '../../api/model';
import type { Requester } from '../../request';

/** The registry: models, versions, aliases, what was decided about them. */
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

  /** Another description, other tags. */
  change(name: string, change: RegistryChange): Promise<RegisteredModel> {
    return this.request.patch(this.path(name), change);
  }

  delete(name: string): Promise<void> {
    return this.request.delete(this.path(name));
  }

  /** Makes a new version of `name` from what the run logged. */
  register(name: string, runId: string, artifactPath?: string | null): Promise<ModelVersion> {
    const body = artifactPath ? { run_id: runId, artifact_path: artifactPath } : { run_id: runId };
    return this.request.post(`${this.path(name)}/versions`, body);
  }

  changeVersion(name: string, version: number, change: RegistryChange): Promise<ModelVersion> {
    return this.request.patch(this.path(name, version), change);
  }

  deleteVersion(name: string, version: number): Promise<void> {
    return this.request.delete(this.path(name, version));
  }

  setAlias(name: string, alias: string, version: number | string): Promise<unknown> {
    return this.request.put(`${this.path(name)}/aliases/${encodeURIComponent(alias)}`, { version });
  }

  deleteAlias(name: string, alias: string): Promise<void> {
    return this.request.delete(`${this.path(name)}/aliases/${encodeURIComponent(alias)}`);
  }

  /** What a version's files say about it. */
  card(name: string, version: number): Promise<ModelCard> {
    return this.request.get(`${this.path(name, version)}/card`);
  }

  files(name: string, version: number): Promise<ModelFile[]> {
    return this.request.get(`${this.path(name, version)}/files`);
  }

  /** All that was decided about a version, newest first. */
  decisions(name: string, version: number): Promise<Decision[]> {
    return this.request.get(`${this.path(name, version)}/approval`);
  }

  /** Asks an admin of the domain to decide. */
  askApproval(name: string, version: number, reason: string): Promise<Decision> {
    return this.request.post(`${this.path(name, version)}/approval`, { reason });
  }

  decide(name: string, version: number, state: 'Approved' | 'Rejected', reason: string): Promise<Decision> {
    return this.request.put(`${this.path(name, version)}/approval`, { state, reason });
  }

  private path(name: string, version?: number): string {
    const model = `domains/${this.domain}/models/${encodeURIComponent(name)}`;
    return version === undefined ? model : `${model}/versions/${version}`;
  }
}
