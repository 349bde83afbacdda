import type { AccessKey, Domain, Member, NewAccessKey, Role } from '../../api/model';
import type { Requester } from '../../request';

/** The domain itself: who is in it, and the keys of its programs. */
export class DomainClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  get(): Promise<Domain> {
    return this.request.get(`domains/${this.domain}`);
  }

  keys(): Promise<AccessKey[]> {
    return this.request.get(`domains/${this.domain}/keys`);
  }

  /** The secret is in this answer and nowhere else, ever. */
  createKey(user: string, name: string, expiresDays: number | null): Promise<NewAccessKey> {
    const expiry = expiresDays ? { expires_days: expiresDays } : {};
    return this.request.post(`domains/${this.domain}/keys`, { user, name, ...expiry });
  }

  revokeKey(id: string): Promise<void> {
    return this.request.delete(`domains/${this.domain}/keys/${encodeURIComponent(id)}`);
  }

  addMember(user: string, role: Role): Promise<Member> {
    return this.request.post(`domains/${this.domain}/members`, { user, role });
  }

  removeMember(user: string): Promise<void> {
    return this.request.delete(`domains/${this.domain}/members/${encodeURIComponent(user)}`);
  }
}
