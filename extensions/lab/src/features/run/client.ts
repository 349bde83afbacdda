import type { Artifact, ModelCard, Run, RunChange, RunCost } from '../../api/model';
import type { IFile, Requester } from '../../request';

/** Where files are: a run's own, or those of a model that it logged. */
export interface IPlace {
  kind: 'run' | 'model';
  id: string;
}

/** One run: what its page changes and reads beside the run itself. */
export class RunClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  change(id: string, change: RunChange): Promise<Run> {
    return this.request.patch(this.path({ kind: 'run', id }), change);
  }

  cost(id: string): Promise<RunCost> {
    return this.request.get(`${this.path({ kind: 'run', id })}/cost`);
  }

  /** What lies directly in the folder `path`. */
  files(place: IPlace, path: string): Promise<Artifact[]> {
    return this.request.get(`${this.path(place)}/artifacts`, { path });
  }

  /** The first `most` bytes of a file. */
  file(place: IPlace, path: string, most: number): Promise<IFile> {
    return this.request.file(`${this.path(place)}/artifacts/file`, { path }, most);
  }

  /** Where the browser downloads a file from; the server sends it as an attachment, whatever it is. */
  fileUrl(place: IPlace, path: string): string {
    return this.request.url(`${this.path(place)}/artifacts/file`, { path });
  }

  /** What the model in the folder `path` says about itself. */
  card(place: IPlace, path: string): Promise<ModelCard> {
    return this.request.get(`${this.path(place)}/card`, { path });
  }

  private path({ kind, id }: IPlace): string {
    return `domains/${this.domain}/${kind === 'run' ? 'runs' : 'logged-models'}/${encodeURIComponent(id)}`;
  }
}
