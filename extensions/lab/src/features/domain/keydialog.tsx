import { useState } from 'react';

import type { NewAccessKey } from '../../api/model';
import { useAction, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, CodeSnippet, ErrorBox, Field, Modal, Select, TextInput } from '../../ui';
import { Purpose, patternsOf, purposeTexts, scopeOf } from './scope';

/** Patterns as they are typed; they are no words. */
const [ACTIONS, ENDPOINT, EXPERIMENT] = ['registry.*, jobs.write', 'endpoint/rain-tomorrow', 'experiment/7'];

/** Creates an access key; its secret is shown once and never again. */
export function KeyDialog({ users, onClose }: { users: string[]; onClose: () => void }): JSX.Element {
  const { trans, client, session } = useStudio();
  const [user, setUser] = useState(users.includes(session?.user ?? '') ? (session?.user ?? '') : (users[0] ?? ''));
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [purpose, setPurpose] = useState<Purpose>('all');
  const [actions, setActions] = useState('');
  const [resources, setResources] = useState('');
  const [made, setMade] = useState<NewAccessKey | null>(null);
  const create = useAction(async () => setMade(await client.domain.createKey(user, name, Number(days) || null, scopeOf(purpose, actions, resources))));
  if (made) {
    return <MadeKey made={made} onClose={onClose} />;
  }
  const isReady = user !== '' && (purpose !== 'custom' || patternsOf(actions).length > 0);
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!isReady || create.busy} testId={TEST.dialogAccept} onClick={() => void create.run()}>
        {create.busy ? trans.__('Creating…') : trans.__('Create key')}
      </Button>
    </>
  );
  return (
    <Modal name="key" title={trans.__('Create an access key')} width={520} onClose={onClose} footer={footer}>
      <Field label={trans.__('Name')} hint={trans.__('What uses it, to know later what to revoke.')}>
        {id => <TextInput id={id} value={name} onChange={setName} placeholder={trans.__('nightly-report')} autoFocus testId={TEST.keyName} />}
      </Field>
      <div className="jp-Studio-fieldRow">
        <Field label={trans.__('Acts as')}>{id => <Select id={id} value={user} options={users} onChange={setUser} testId={TEST.keyUser} />}</Field>
        <Field label={trans.__('Expires')}>
          {id => (
            <Select
              id={id}
              value={days}
              onChange={setDays}
              options={[
                ['7', trans.__('in 7 days')],
                ['90', trans.__('in 90 days')],
                ['365', trans.__('in a year')],
                ['0', trans.__('never')]
              ]}
            />
          )}
        </Field>
      </div>
      <fieldset className="jp-Studio-choiceList">
        <legend>{trans.__('May')}</legend>
        {purposeTexts(trans).map(([key, label, hint]) => (
          <label key={key}>
            <input type="radio" name="purpose" checked={key === purpose} data-testid={TEST.keyPurpose(key)} onChange={() => setPurpose(key)} />
            <span>{label}</span>
            <small>{hint}</small>
          </label>
        ))}
      </fieldset>
      {purpose === 'custom' && (
        <Field label={trans.__('Actions')} hint={trans.__('The policy page lists every action.')}>
          {id => <TextInput id={id} value={actions} onChange={setActions} placeholder={ACTIONS} mono testId={TEST.keyActions} />}
        </Field>
      )}
      {purpose !== 'all' && (
        <Field label={trans.__('Only these')} hint={trans.__('Names such as endpoint/rain-tomorrow or experiment/7; left empty: all.')}>
          {id => <TextInput id={id} value={resources} onChange={setResources} placeholder={purpose === 'invoke' ? ENDPOINT : EXPERIMENT} mono testId={TEST.keyResources} />}
        </Field>
      )}
      {create.error && <ErrorBox error={create.error} />}
    </Modal>
  );
}

function MadeKey({ made, onClose }: { made: NewAccessKey; onClose: () => void }): JSX.Element {
  const { trans } = useStudio();
  return (
    <Modal
      name="key-made"
      title={trans.__('Key %1 was created', made.name || made.id)}
      width={600}
      onClose={onClose}
      footer={
        <Button kind="primary" testId={TEST.dialogAccept} onClick={onClose}>
          {trans.__('I have copied it')}
        </Button>
      }
    >
      <p>{trans.__('Copy it now: the secret is shown only here and only once.')}</p>
      <CodeSnippet code={made.token} testId={TEST.keyToken} />
      <p className="jp-Studio-hint">{trans.__('For mlflow and other programs:')}</p>
      <CodeSnippet code={exportsOf(made.env)} />
      <p className="jp-Studio-hint">{trans.__('For curl:')}</p>
      <CodeSnippet code={made.curl} />
    </Modal>
  );
}

/** The variables as lines for a shell. */
export function exportsOf(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([key, value]) => `export ${key}='${value}'`)
    .join('\n');
}
