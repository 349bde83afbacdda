import type { Environment, EnvironmentChange, EnvironmentDetail, EnvironmentVersionDetail, LogPage, MadeEnvironment, NewEnvironment } from '../../api/model';
import type { Requester } from '../../request';

/** What the domain may use: the catalogue's environments and its own. */
export class EnvironmentsClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  list(): Promise<Environment[]> {
    return this.request.get(this.path());
  }

  get(name: string): Promise<EnvironmentDetail> {
    return this.request.get(this.path(name));
  }

  create(body: NewEnvironment): Promise<MadeEnvironment> {
    return this.request.post(this.path(), body);
  }

  change(name: string, body: EnvironmentChange): Promise<MadeEnvironment> {
    return this.request.post(this.path(name, 'versions'), body);
  }

  /** Packages for one of the catalogue make a clone in the domain, called `clone`. */
  add(name: string, packages: string[], clone = ''): Promise<MadeEnvironment> {
    return this.request.post(this.path(name, 'packages'), { packages, name: clone });
  }

  rollBack(name: string, number: number): Promise<MadeEnvironment> {
    return this.request.post(this.path(name, 'rollback'), { number });
  }

  build(name: string): Promise<MadeEnvironment> {
    return this.request.post(this.path(name, 'build'));
  }

  delete(name: string): Promise<void> {
    return this.request.delete(this.path(name));
  }

  setDefault(name: string): Promise<MadeEnvironment> {
    return this.request.put(`domains/${this.domain}/default-environment`, { name });
  }

  version(name: string, number: number, against = 0): Promise<EnvironmentVersionDetail> {
    return this.request.get(this.path(name, `versions/${number}`), { against: against || undefined });
  }

  log(name: string, number: number, offset: number): Promise<LogPage> {
    return this.request.get(this.path(name, `versions/${number}/log`), { offset });
  }

  /** Where the lock (with hashes) or the definition is downloaded from. */
  exportUrl(name: string, form: 'requirements' | 'toml', version = 0): string {
    return this.request.url(this.path(name, 'export'), { form, version: version || undefined });
  }

  private path(name = '', rest = ''): string {
    return [`domains/${this.domain}/environments`, name && encodeURIComponent(name), rest].filter(Boolean).join('/');
  }
}
