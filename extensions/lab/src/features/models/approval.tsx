import { useState } from 'react';

import type { Decision, ModelVersion } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, ErrorBox, Field, Modal, Section, StatusPill } from '../../ui';

type Act = 'ask' | 'Approved' | 'Rejected';

interface IApprovalProps {
  model: string;
  version: ModelVersion;
  refresh: () => Promise<void>;
}

/** What was decided about a version: by whom, when and why; who may decide does so here. */
export function Approval({ model, version, refresh }: IApprovalProps): JSX.Element {
  const { trans, session } = useStudio();
  const [act, setAct] = useState<Act | null>(null);
  const { approval } = version;
  const isAdmin = session?.role === 'admin';
  const mayAsk = isAdmin || session?.role === 'editor';
  return (
    <Section title={trans.__('Approval')}>
      <div className="jp-Studio-approval">
        <div>
          {approval ? <DecisionLine decision={approval} /> : <p className="jp-Studio-hint">{trans.__('Nobody has decided about this version. An admin of the domain approves or rejects it; the decision stays on record and is shown where it is deployed.')}</p>}
          <History model={model} version={version} />
        </div>
        {mayAsk && !isAdmin && approval?.state !== 'Pending' && (
          <Button testId={TEST.approvalAsk} onClick={() => setAct('ask')}>
            {trans.__('Ask for approval')}
          </Button>
        )}
        {isAdmin && approval?.state !== 'Rejected' && (
          <Button testId={TEST.approvalReject} onClick={() => setAct('Rejected')}>
            {trans.__('Reject')}
          </Button>
        )}
        {isAdmin && approval?.state !== 'Approved' && (
          <Button icon="check" testId={TEST.approvalApprove} onClick={() => setAct('Approved')}>
            {trans.__('Approve')}
          </Button>
        )}
      </div>
      {act && <DecisionDialog model={model} version={version} act={act} refresh={refresh} onClose={() => setAct(null)} />}
    </Section>
  );
}

/** State, who, when and why in two lines. */
export function DecisionLine({ decision }: { decision: Decision }): JSX.Element {
  const { trans } = useStudio();
  return (
    <>
      <div className="jp-Studio-inline">
        <StatusPill state={decision.state} testId={TEST.approvalState} />
        <span className="jp-Studio-hint">
          {decision.state === 'Pending' ? trans.__('asked by %1', decision.by) : trans.__('by %1', decision.by)} <Ago at={decision.at_ms} />
        </span>
      </div>
      {decision.reason && <p>{decision.reason}</p>}
    </>
  );
}

function History({ model, version }: { model: string; version: ModelVersion }): JSX.Element | null {
  const { trans } = useStudio();
  const at = version.approval?.at_ms;
  const { data } = useResource(at ? `decisions/${model}/${version.version}/${at}` : null, client => client.models.decisions(model, version.version), { topics: ['models'] });
  if (!data || data.length < 2) {
    return null;
  }
  return (
    <details data-testid={TEST.approvalHistory}>
      <summary>{trans.__('All %1 decisions', data.length)}</summary>
      <ul className="jp-Studio-history">
        {data.map(decision => (
          <li key={decision.at_ms}>
            <StatusPill state={decision.state} />
            <span>
              {decision.by}
              {decision.reason && `: ${decision.reason}`}
            </span>
            <span className="jp-Studio-hint">
              <Ago at={decision.at_ms} />
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function DecisionDialog({ model, version, act, refresh, onClose }: IApprovalProps & { act: Act; onClose: () => void }): JSX.Element {
  const { trans, client } = useStudio();
  const [reason, setReason] = useState('');
  const decide = useAction(async () => {
    await (act === 'ask' ? client.models.askApproval(model, version.version, reason) : client.models.decide(model, version.version, act, reason));
    await refresh();
    onClose();
  });
  const verb = { ask: trans.__('Ask for approval'), Approved: trans.__('Approve'), Rejected: trans.__('Reject') }[act];
  const serving = version.endpoints.filter(endpoint => endpoint.serves).map(endpoint => endpoint.name);
  const hint = {
    ask: trans.__('An admin of the domain sees it in the Models view.'),
    Approved: trans.__('Kept with your name. It does not deploy anything.'),
    Rejected: serving.length ? trans.__('%1 goes on serving it: promote another version there.', serving.join(', ')) : trans.__('Kept with your name, and shown to whoever deploys it.')
  }[act];
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind={act === 'Rejected' ? 'danger' : 'primary'} disabled={decide.busy || (act === 'Rejected' && !reason.trim())} onClick={() => void decide.run()} testId={TEST.dialogAccept}>
        {verb}
      </Button>
    </>
  );
  return (
    <Modal name="approval" title={trans.__('%1: %2 v%3', verb, model, version.version)} width={440} onClose={onClose} footer={footer}>
      <Field label={act === 'Rejected' ? trans.__('Why, and what must change') : trans.__('Why (if you like)')} hint={hint}>
        {id => <textarea id={id} className="jp-Studio-input" rows={3} maxLength={2000} value={reason} data-autofocus="" data-testid={TEST.approvalReason} onChange={event => setReason(event.target.value)} />}
      </Field>
      {decide.error && <ErrorBox error={decide.error} />}
    </Modal>
  );
}
