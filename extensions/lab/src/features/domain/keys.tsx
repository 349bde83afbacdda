import { useState } from 'react';

import type { NewAccessKey } from '../../api/model';
import { useAction, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, CodeSnippet, ErrorBox, Field, Modal, Select, TextInput } from '../../ui';

/** Creates an access key; its secret is shown here once and never again. */
export function KeyDialog({ users, onClose }: { users: string[]; onClose: () => void }): JSX.Element {
  const { trans, client, session } = useStudio();
  const [user, setUser] = useState(session?.user ?? users[0] ?? '');
  const [name, setName] = useState('');
  const [days, setDays] = useState('90');
  const [made, setMade] = useState<NewAccessKey | null>(null);
  const create = useAction(async () => setMade(await client.domain.createKey(user, name, Number(days) || null)));
  if (made) {
    const env = Object.entries(made.env)
      .map(([key, value]) => `export ${key}='${value}'`)
      .join('\n');
    return (
      <Modal
        name="key-made"
        title={trans.__('Key %1 was created', name || made.id)}
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
        {env && (
          <>
            <p className="jp-Studio-hint">{trans.__('For mlflow and other programs:')}</p>
            <CodeSnippet code={env} />
          </>
        )}
        {made.curl && (
          <>
            <p className="jp-Studio-hint">{trans.__('For curl:')}</p>
            <CodeSnippet code={made.curl} />
          </>
        )}
      </Modal>
    );
  }
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!user || create.busy} testId={TEST.dialogAccept} onClick={() => void create.run()}>
        {create.busy ? trans.__('Creating…') : trans.__('Create key')}
      </Button>
    </>
  );
  return (
    <Modal name="key" title={trans.__('Create an access key')} width={400} onClose={onClose} footer={footer}>
      <Field label={trans.__('Acts as')}>{id => <Select id={id} value={user} options={users} onChange={setUser} testId={TEST.keyUser} />}</Field>
      <Field label={trans.__('Name')} hint={trans.__('What uses it, to know later what to revoke.')}>
        {id => <TextInput id={id} value={name} onChange={setName} placeholder={trans.__('nightly-report')} autoFocus testId={TEST.keyName} />}
      </Field>
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
      {create.error && <ErrorBox error={create.error} />}
    </Modal>
  );
}
