import { useState } from 'react';

import type { Domain, Policy, PolicyRule } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ErrorBox, Field, Modal, Select, TextInput } from '../../ui';
import { ConditionEditor } from './conditions';
import { ANY, IRule, actionText, areaText, ruleText, whoText } from './rules';
import { conditionsOf, whenOf } from './when';

interface IRuleDialogProps {
  domain: Domain;
  policy: Policy;
  /** The rule to change; none makes a new one. */
  rule: PolicyRule | null;
  onClose: () => void;
}

/** Writes a rule; the sentence that it makes stands below while it is written. */
export function RuleDialog({ domain, policy, rule, onClose }: IRuleDialogProps): JSX.Element {
  const { trans, client } = useStudio();
  const types = useResource('instance-types', c => c.cost.instanceTypes(), { topics: [] });
  const [effect, setEffect] = useState(rule?.effect ?? 'deny');
  const [who, setWho] = useState<readonly string[]>(rule?.who ?? ['role:editor']);
  const [action, setAction] = useState(rule?.action ?? 'serving.write');
  const [name, setName] = useState(nameOf(rule?.resource ?? ANY));
  const [conditions, setConditions] = useState(conditionsOf(rule?.when ?? {}));
  const [why, setWhy] = useState(rule?.why ?? '');
  const kind = kindOf(policy, action);
  const made: IRule = { effect, who, action, resource: name.trim() && kind ? `${kind}/${name.trim()}` : ANY, when: whenOf(conditions), why };
  const save = useAction(async () => {
    await (rule ? client.policy.changeRule(rule.id, made) : client.policy.addRule(made));
    onClose();
  });
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={who.length === 0 || save.busy} testId={TEST.dialogAccept} onClick={() => void save.run()}>
        {save.busy ? trans.__('Saving…') : rule ? trans.__('Save rule') : trans.__('Add rule')}
      </Button>
    </>
  );
  return (
    <Modal name="rule" title={rule ? trans.__('Change a rule') : trans.__('Add a rule')} width={600} onClose={onClose} footer={footer}>
      <Effect effect={effect} onChoose={setEffect} />
      <Who domain={domain} who={who} onChange={setWho} />
      <div className="jp-Studio-fieldRow">
        <Field label={effect === 'deny' ? trans.__('May not') : trans.__('May')}>
          {id => <Select id={id} value={action} options={actionOptions(policy, trans)} onChange={setAction} testId={TEST.ruleAction} />}
        </Field>
        {kind && (
          <Field label={trans.__('Which %1', kind)} hint={trans.__('A name, or a pattern such as prod-*; empty: all.')}>
            {id => <TextInput id={id} value={name} onChange={setName} placeholder={trans.__('all')} mono testId={TEST.ruleResource} />}
          </Field>
        )}
      </div>
      <div className="jp-Studio-field">
        <span className="jp-Studio-fieldLabel">{trans.__('Only if')}</span>
        <ConditionEditor conditions={conditions} onChange={setConditions} instanceTypes={(types.data ?? []).map(type => type.name)} />
      </div>
      <Field label={trans.__('Why')} hint={trans.__('Shown to whoever it stops.')}>
        {id => <TextInput id={id} value={why} onChange={setWhy} testId={TEST.ruleWhy} />}
      </Field>
      <p className="jp-Studio-sentence" data-testid={TEST.ruleSentence} aria-live="polite">
        {ruleText(made, trans)}
      </p>
      {save.error && <ErrorBox error={save.error} />}
    </Modal>
  );
}

function Effect({ effect, onChoose }: { effect: string; onChoose: (effect: string) => void }): JSX.Element {
  const { trans } = useStudio();
  const effects: [string, string, string][] = [
    ['deny', trans.__('Deny'), trans.__('Takes away what a role gives. Wins over every rule that allows.')],
    ['allow', trans.__('Allow'), trans.__('Gives more than the role; never to code in a sandbox what only admins do.')]
  ];
  return (
    <div className="jp-Studio-modes" role="radiogroup" aria-label={trans.__('Effect')}>
      {effects.map(([name, title, text]) => (
        <label key={name} className={`jp-Studio-mode${name === effect ? ' jp-mod-active' : ''}`}>
          <input type="radio" name="effect" checked={name === effect} data-testid={TEST.ruleEffect(name)} onChange={() => onChoose(name)} />
          <span>
            <b>{title}</b>
          </span>
          <small>{text}</small>
        </label>
      ))}
    </div>
  );
}

/** Roles, people, or everybody, as chips that are on or off. */
function Who({ domain, who, onChange }: { domain: Domain; who: readonly string[]; onChange: (who: string[]) => void }): JSX.Element {
  const { trans } = useStudio();
  const known = [ANY, 'role:viewer', 'role:editor', 'role:admin', ...domain.members.map(member => `user:${member.user}`)];
  const all = [...known, ...who.filter(item => !known.includes(item))];
  const toggle = (item: string): void => {
    if (who.includes(item)) {
      onChange(who.filter(other => other !== item));
    } else {
      onChange(item === ANY ? [ANY] : [...who.filter(other => other !== ANY), item]);
    }
  };
  return (
    <div className="jp-Studio-field">
      <span className="jp-Studio-fieldLabel">{trans.__('Who')}</span>
      <div className="jp-Studio-toggles" role="group" aria-label={trans.__('Who')}>
        {all.map(item => (
          <button key={item} type="button" aria-pressed={who.includes(item)} data-testid={TEST.ruleWho(item)} onClick={() => toggle(item)}>
            {item.startsWith('user:') ? item.slice(5) : whoText([item], trans)}
          </button>
        ))}
      </div>
    </div>
  );
}

function nameOf(resource: string): string {
  return resource === ANY ? '' : resource.slice(resource.indexOf('/') + 1);
}

/** What the action is about, if its resources have names of their own. */
function kindOf(policy: Policy, action: string): string {
  const covered = policy.actions.filter(({ name }) => name === action || (action.endsWith('.*') && name.startsWith(action.slice(0, -1))));
  const kinds = [...new Set(covered.map(({ kind }) => kind))];
  return kinds.length === 1 && kinds[0] !== 'domain' ? (kinds[0] ?? '') : '';
}

/** Single actions, and each area as a whole where it has several. */
function actionOptions(policy: Policy, trans: ReturnType<typeof useStudio>['trans']): [string, string][] {
  const options: [string, string][] = [];
  const areas = new Set<string>();
  for (const { name } of policy.actions) {
    const area = name.split('.')[0] ?? '';
    if (!areas.has(area) && policy.actions.filter(other => other.name.startsWith(`${area}.`)).length > 1) {
      options.push([`${area}.*`, trans.__('do anything with %1', areaText(area, trans))]);
    }
    areas.add(area);
    options.push([name, actionText(name, trans)]);
  }
  return options;
}
