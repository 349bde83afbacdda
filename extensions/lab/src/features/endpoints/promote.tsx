import { useState } from 'react';

import type { Endpoint } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ErrorBox, Field, Modal, Select } from '../../ui';
import { modelText } from './panel';

/** Moves an endpoint's traffic to another version of its model. */
export function PromoteDialog({ endpoint, onClose }: { endpoint: Endpoint; onClose: () => void }): JSX.Element {
  const { trans, client } = useStudio();
  const model = modelText(endpoint).split(' ')[0] ?? '';
  const { data, error } = useResource(`model/${model}`, c => c.models.get(model), { topics: ['models'] });
  const others = [...(data?.versions ?? [])].filter(v => String(v.version) !== String(endpoint.version)).sort((a, b) => Number(b.version) - Number(a.version));
  const [chosen, setChosen] = useState('');
  const version = chosen || String(others[0]?.version ?? '');
  const promote = useAction(async () => {
    await client.endpoints.promote(endpoint.name, version);
    onClose();
  });
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!version || promote.busy} testId={TEST.dialogAccept} onClick={() => void promote.run()}>
        {promote.busy ? trans.__('Starting the new version…') : trans.__('Promote')}
      </Button>
    </>
  );
  return (
    <Modal name="promote" title={trans.__('Promote another version of %1', endpoint.name)} onClose={onClose} footer={footer}>
      {others.length > 0 ? (
        <Field label={trans.__('Version')} hint={trans.__('It is started and tested first; then all traffic of %1 moves to it without a failed request. Undo moves it back to version %2.', endpoint.name, endpoint.version ?? '–')}>
          {id => (
            <Select
              id={id}
              value={version}
              testId={TEST.deployVersion}
              onChange={setChosen}
              options={others.map(v => [String(v.version), `v${v.version}${v.aliases.map(alias => ` @${alias}`).join('')}`])}
            />
          )}
        </Field>
      ) : (
        data && <p>{trans.__('%1 has no other version. Register another run under this name first.', model)}</p>
      )}
      {(error ?? promote.error) && <ErrorBox error={error ?? promote.error ?? new Error()} />}
    </Modal>
  );
}
