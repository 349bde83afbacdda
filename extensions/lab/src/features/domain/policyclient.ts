import type { AuditPage, NewRule, Policy, PolicyRule, Verdict } from '../../api/model';
import type { Query, Requester } from '../../request';

/** The rules of a domain, and what they come to. */
export class PolicyClient {
  constructor(
    private readonly request: Requester,
    domain: string
  ) {
    this.base = `domains/${domain}/policy`;
    this.log = `domains/${domain}/audit`;
  }

  get(): Promise<Policy> {
    return this.request.get(this.base);
  }

  addRule(rule: NewRule): Promise<PolicyRule> {
    return this.request.post(`${this.base}/rules`, rule);
  }

  changeRule(id: string, rule: NewRule): Promise<PolicyRule> {
    return this.request.put(`${this.base}/rules/${encodeURIComponent(id)}`, rule);
  }

  removeRule(id: string): Promise<void> {
    return this.request.delete(`${this.base}/rules/${encodeURIComponent(id)}`);
  }

  /** May they? `attr` is `name=value`, or empty. */
  explain(user: string, action: string, resource: string, attr: string): Promise<Verdict> {
    return this.request.get(`${this.base}/explain`, { user, action, resource, attr });
  }

  /** Rows of the audit log, newest first; those before `before`, if it is given. */
  audit(query: Query, limit: number, before?: number | null): Promise<AuditPage> {
    return this.request.get(this.log, { ...query, limit, before });
  }

  /** The address that downloads all rows that fit. */
  auditExport(query: Query, format: 'csv' | 'jsonl'): string {
    return this.request.url(`${this.log}/export`, { ...query, format });
  }

  private readonly base: string;
  private readonly log: string;
}
