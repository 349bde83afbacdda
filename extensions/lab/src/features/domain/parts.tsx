import type { ReactNode } from 'react';

import type { Domain } from '../../api/model';
import { useStudio } from '../../hooks';
import { Icon } from '../../icons';
import type { StudioError } from '../../request';
import { TEST } from '../../testids';
import { ErrorBox } from '../../ui';
import { actionText, neededOf } from './rules';

interface IPageProps {
  name: string;
  title: string;
  /** One sentence: what this is for. */
  lead: string;
  aside?: ReactNode;
  children: ReactNode;
}

/** One part of the domain's page: what it is, its one primary action, what there is. */
export function Page({ name, title, lead, aside, children }: IPageProps): JSX.Element {
  return (
    <section className="jp-Studio-page" aria-label={title} data-testid={TEST.domainPage(name)}>
      <header>
        <div>
          <h2>{title}</h2>
          <p>{lead}</p>
        </div>
        {aside && <div className="jp-Studio-actions">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** Every part of the page gets the domain, and a way to read it again. */
export interface ISectionProps {
  domain: Domain;
  refresh: () => Promise<void>;
  /** Its dialog is wanted at once. */
  acts: boolean;
}

export function adminsOf(domain: Domain): string[] {
  return domain.members.filter(member => member.role === 'admin').map(member => member.user);
}

/** A refusal says who could help; anything else says what to do next. */
export function Failure({ error, domain, onRetry }: { error: StudioError; domain: Domain; onRetry?: () => void }): JSX.Element {
  const { trans, session } = useStudio();
  if (error.status !== 403) {
    return <ErrorBox error={error} onRetry={onRetry} />;
  }
  const needed = neededOf(error.message);
  return (
    <div className="jp-Studio-refused" role="note" data-testid={TEST.refused}>
      <Icon name="lock" />
      <div>
        <b>{needed ? trans.__('The role %1 is needed to %2; yours is %3.', needed.role, actionText(needed.action, trans), session?.role ?? '–') : error.message}</b>
        <p>{needed ? trans.__('An admin of %1 can give you that role, or write a rule that allows it.', domain.name) : error.hint}</p>
        <p>{trans.__('Admins of %1: %2.', domain.name, adminsOf(domain).join(', ') || '–')}</p>
      </div>
    </div>
  );
}

/** What somebody may look at here but not change, and who may. */
export function AdminsOnly({ domain, what }: { domain: Domain; what: string }): JSX.Element {
  const { trans } = useStudio();
  return (
    <p className="jp-Studio-hint jp-Studio-adminsOnly">
      <Icon name="lock" size={12} />
      {trans.__('%1 Admins of %2: %3.', what, domain.name, adminsOf(domain).join(', ') || '–')}
    </p>
  );
}
