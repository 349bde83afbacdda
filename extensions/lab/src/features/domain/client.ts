import type { AccessKey, Domain, DomainSettings, DomainSettingsChange, Isolation, Member, NewAccessKey, OpenSession, Role } from '../../api/model';
import type { Requester } from '../../request';
import type { IScope } from './scope';

/** The domain itself: who is in it, and the keys of its programs. */
export class DomainClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  get(): Promise<Domain> {
    return this.request.get(`domains/${this.domain}`);
  }

  settings(): Promise<DomainSettings> {
    return this.request.get(`domains/${this.domain}/settings`);
  }

  changeSettings(change: DomainSettingsChange): Promise<DomainSettings> {
    return this.request.patch(`domains/${this.domain}`, change);
  }

  isolation(): Promise<Isolation> {
    return this.request.get(`domains/${this.domain}/isolation`);
  }

  keys(): Promise<AccessKey[]> {
    return this.request.get(`domains/${this.domain}/keys`);
  }

  /** The secret is in this answer and nowhere else, ever. */
  createKey(user: string, name: string, expiresDays: number | null, { actions, resources }: IScope): Promise<NewAccessKey> {
    return this.request.post(`domains/${this.domain}/keys`, { user, name, expires_days: expiresDays, actions, resources });
  }

  revokeKey(id: string): Promise<void> {
    return this.request.delete(`domains/${this.domain}/keys/${encodeURIComponent(id)}`);
  }

  /** The browsers in which the asker is signed in. */
  sessions(): Promise<OpenSession[]> {
    return this.request.get('sessions');
  }

  endSession(id: string): Promise<void> {
    return this.request.delete(`sessions/${encodeURIComponent(id)}`);
  }

  endOtherSessions(): Promise<void> {
    return this.request.delete('sessions');
  }

  /** People who are no members yet. */
  candidates(): Promise<string[]> {
    return this.request.get(`domains/${this.domain}/members/candidates`);
  }

  /** Adds a member or changes their role. */
  putMember(user: string, role: Role): Promise<Member> {
    return this.request.post(`domains/${this.domain}/members`, { user, role });
  }

  removeMember(user: string): Promise<void> {
    return this.request.delete(`domains/${this.domain}/members/${encodeURIComponent(user)}`);
  }
}
