import { useState } from 'react';

import type { Domain, Policy, Verdict } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { Button, ErrorBox, Field, Section, Select, TextInput } from '../../ui';
import { actionText, ruleText } from './rules';

/** May they? Asks the one place that decides, and shows what decided and what would change it. */
export function Explainer({ domain, policy }: { domain: Domain; policy: Policy }): JSX.Element {
  const { trans, client, session } = useStudio();
  const types = useResource('instance-types', c => c.cost.instanceTypes(), { topics: [] });
  const isAdmin = session?.role === 'admin';
  const people = isAdmin ? domain.members.map(member => member.user) : [session?.user ?? ''];
  const [user, setUser] = useState(people.find(name => name !== session?.user) ?? people[0] ?? '');
  const [action, setAction] = useState('serving.write');
  const [name, setName] = useState('');
  const [type, setType] = useState('');
  const [answer, setAnswer] = useState<Verdict | null>(null);
  const kind = policy.actions.find(known => known.name === action)?.kind ?? 'domain';
  const ask = useAction(async () => {
    setAnswer(await client.policy.explain(user, action, name.trim() && kind !== 'domain' ? `${kind}/${name.trim()}` : '', type && `instance_type=${type}`));
  });
  const change = (set: (value: string) => void) => (value: string) => {
    set(value);
    setAnswer(null);
  };
  return (
    <Section title={trans.__('May they?')}>
      <form
        className="jp-Studio-ask"
        data-testid={TEST.explain}
        onSubmit={event => {
          event.preventDefault();
          void ask.run();
        }}
      >
        <Field label={trans.__('Person')}>{id => <Select id={id} value={user} options={people} onChange={change(setUser)} testId={TEST.explainUser} />}</Field>
        <Field label={trans.__('Wants to')}>
          {id => <Select id={id} value={action} options={policy.actions.map(known => [known.name, actionText(known.name, trans)])} onChange={change(setAction)} testId={TEST.explainAction} />}
        </Field>
        {kind !== 'domain' && (
          <Field label={trans.__('Which %1', kind)}>{id => <TextInput id={id} value={name} onChange={change(setName)} placeholder={trans.__('any')} testId={TEST.explainResource} />}</Field>
        )}
        {(action === 'jobs.write' || action === 'serving.write') && (
          <Field label={trans.__('Instance type')}>
            {id => <Select id={id} value={type} options={[['', trans.__('not said')], ...(types.data ?? []).map((item): [string, string] => [item.name, item.name])]} onChange={change(setType)} />}
          </Field>
        )}
        <Button kind="primary" submit disabled={ask.busy} testId={TEST.explainAsk}>
          {trans.__('Ask')}
        </Button>
      </form>
      {ask.error && <ErrorBox error={ask.error} />}
      {answer && <Answer answer={answer} />}
    </Section>
  );
}

function Answer({ answer }: { answer: Verdict }): JSX.Element {
  const { trans } = useStudio();
  const others = answer.considered.filter(item => !item.applies);
  const decided = answer.considered.find(item => item.rule.id === answer.rule)?.rule;
  return (
    <div className={`jp-Studio-answerBox jp-mod-${answer.allowed ? 'allowed' : 'denied'}`} role="status" data-testid={TEST.explainAnswer}>
      <Icon name={answer.allowed ? 'check' : 'lock'} />
      <div>
        <b>{answer.allowed ? trans.__('Allowed') : trans.__('Denied')}</b>
        {decided ? (
          <p>
            {trans.__('By a rule: %1', ruleText(decided, trans))} {decided.why && <span className="jp-Studio-hint">{decided.why}</span>}
          </p>
        ) : (
          <p>{answer.message}</p>
        )}
        {answer.hint && <p className="jp-Studio-hint">{answer.hint}</p>}
        {others.length > 0 && (
          <details>
            <summary>{trans._n('%1 other rule about it does not apply', '%1 other rules about it do not apply', others.length)}</summary>
            <ul>
              {others.map(({ rule, because }) => (
                <li key={rule.id}>
                  {ruleText(rule, trans)} <span className="jp-Studio-hint">{because}</span>
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </div>
  );
}
