import { useState } from 'react';

import type { Policy, PolicyRule } from '../../api/model';
import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, ConfirmDialog, EmptyState, Section, Skeleton, Tag } from '../../ui';
import { Explainer } from './explain';
import { AdminsOnly, Failure, ISectionProps, Page } from './parts';
import { RuleDialog } from './ruledialog';
import { actionText, areaText, ruleText } from './rules';

/** The rules beside the roles, in sentences, and a way to ask what they come to. */
export function PolicyPage({ domain, acts }: ISectionProps): JSX.Element {
  const { trans, session } = useStudio();
  const { data, error, refresh } = useResource('policy', client => client.policy.get(), { topics: ['policy', 'members'] });
  const [edits, setEdits] = useState<PolicyRule | 'new' | null>(acts && session?.role === 'admin' ? 'new' : null);
  const add = data?.may_change && (
    <Button kind="primary" icon="plus" testId={TEST.ruleAdd} onClick={() => setEdits('new')}>
      {trans.__('Add rule')}
    </Button>
  );
  return (
    <Page
      name="policy"
      title={trans.__('Policy')}
      lead={trans.__('A role gives actions; rules take some away or give more. A rule that denies wins over one that allows, and what nothing allows is denied.')}
      aside={data && data.rules.length > 0 && add}
    >
      {error && <Failure error={error} domain={domain} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton rows={8} />}
      {data && (
        <>
          <Explainer domain={domain} policy={data} />
          {data.rules.length === 0 ? (
            <EmptyState
              icon="rules"
              testId={TEST.empty('policy')}
              title={trans.__('No rule yet: the roles alone decide')}
              text={trans.__('Add a rule where a role is too much or too little: no deploys on Friday evening, GPUs only while the month is cheap, two editors who may approve models.')}
              action={add}
              code={`studio policy add --domain ${domain.name} --deny --who role:editor --action serving.write --resource 'endpoint/prod-*'`}
            />
          ) : (
            <Section title={trans.__('Rules (%1)', data.rules.length)}>
              <ul className="jp-Studio-rules">
                {data.rules.map(rule => (
                  <RuleLine key={rule.id} rule={rule} editable={data.may_change} onEdit={() => setEdits(rule)} refresh={refresh} />
                ))}
              </ul>
            </Section>
          )}
          {!data.may_change && <AdminsOnly domain={domain} what={trans.__('Admins write the rules.')} />}
          <Roles policy={data} />
          {edits && (
            <RuleDialog
              domain={domain}
              policy={data}
              rule={edits === 'new' ? null : edits}
              onClose={() => {
                setEdits(null);
                void refresh();
              }}
            />
          )}
        </>
      )}
    </Page>
  );
}

function RuleLine({ rule, editable, onEdit, refresh }: { rule: PolicyRule; editable: boolean; onEdit: () => void; refresh: () => Promise<void> }): JSX.Element {
  const { trans, client } = useStudio();
  const [removes, setRemoves] = useState(false);
  const denies = rule.effect === 'deny';
  return (
    <li data-testid={TEST.rule(rule.id)}>
      <Tag tone={denies ? 'warning' : 'brand'}>{denies ? trans.__('deny') : trans.__('allow')}</Tag>
      <div>
        <p>{ruleText(rule, trans)}</p>
        <p className="jp-Studio-hint">
          {rule.why && <span>{rule.why} · </span>}
          <code>{rule.action}</code>
          {rule.resource !== '*' && <code>{rule.resource}</code>} · {rule.created_by} · <Ago at={rule.created_ms} />
        </p>
      </div>
      {editable && (
        <span className="jp-Studio-actions">
          <Button kind="quiet" icon="edit" title={trans.__('Change this rule')} onClick={onEdit} />
          <Button kind="quiet" icon="trash" title={trans.__('Take this rule out')} onClick={() => setRemoves(true)} />
        </span>
      )}
      {removes && (
        <ConfirmDialog
          title={trans.__('Take this rule out?')}
          verb={trans.__('Take out')}
          act={async () => {
            await client.policy.removeRule(rule.id);
            await refresh();
          }}
          onClose={() => setRemoves(false)}
        >
          <p>{ruleText(rule, trans)}</p>
          <p>{denies ? trans.__('What it denied is up to the roles and the other rules from then on.') : trans.__('Who could do this only by the rule cannot any more.')}</p>
        </ConfirmDialog>
      )}
    </li>
  );
}

/** What each role may, by area; folded, since it seldom changes. */
function Roles({ policy }: { policy: Policy }): JSX.Element {
  const { trans } = useStudio();
  const areas = new Map<string, Policy['actions']>();
  for (const action of policy.actions) {
    const area = action.name.split('.')[0] ?? '';
    areas.set(area, [...(areas.get(area) ?? []), action]);
  }
  return (
    <details className="jp-Studio-roles">
      <summary>{trans.__('What each role may, without rules')}</summary>
      <table>
        <thead>
          <tr>
            <th>{trans.__('About')}</th>
            <th>{trans.__('viewer')}</th>
            <th>{trans.__('editor, too')}</th>
            <th>{trans.__('admin, too')}</th>
          </tr>
        </thead>
        <tbody>
          {[...areas].map(([area, actions]) => (
            <tr key={area}>
              <th>{areaText(area, trans)}</th>
              {['viewer', 'editor', 'admin'].map(role => (
                <td key={role}>
                  {actions
                    .filter(action => action.role === role)
                    .map(({ name }) => (
                      <span key={name} title={name}>
                        {actionText(name, trans)}
                      </span>
                    ))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
