import { useState } from 'react';

import type { RunDetail } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ErrorBox, Field, Modal, TextInput } from '../../ui';
import { nameOf } from '../data/panel';

export interface IRegistered {
  name: string;
  version: number;
}

interface IRegisterDialogProps {
  run: RunDetail;
  onClose: () => void;
  onDone: (made: IRegistered, deploys: boolean) => void;
}

/** Makes a version of what a run logged; with one more click it is deployed. */
export function RegisterDialog({ run, onClose, onDone }: IRegisterDialogProps): JSX.Element {
  const { trans, client } = useStudio();
  const { data: models } = useResource('models', c => c.models.list(), { topics: ['models'] });
  const [typed, setTyped] = useState<string | null>(null);
  const name = typed ?? models?.[0]?.name ?? nameOf(run.name);
  const existing = models?.find(model => model.name === name);
  const register = useAction(async (deploys: boolean) => {
    const made = await client.models.register(name, run.run_id, run.models[0]?.artifact_path);
    onDone({ name, version: made.version }, deploys);
  });
  const blocked = register.busy || !name;
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button disabled={blocked} onClick={() => void register.run(true)}>
        {trans.__('Register and deploy')}
      </Button>
      <Button kind="primary" disabled={blocked} onClick={() => void register.run(false)} testId={TEST.dialogAccept}>
        {register.busy ? trans.__('Registering…') : trans.__('Register')}
      </Button>
    </>
  );
  const hint = existing ? trans.__('Becomes version %1 of %2.', Number(existing.latest_version ?? existing.versions) + 1, name) : trans.__('A new registered model, version 1.');
  return (
    <Modal name="register-model" title={trans.__('Register the model of %1', run.name)} onClose={onClose} footer={footer}>
      <Field label={trans.__('Model name')} hint={hint}>
        {id => <TextInput id={id} value={name} onChange={setTyped} autoFocus testId={TEST.registerName} />}
      </Field>
      {register.error && <ErrorBox error={register.error} />}
    </Modal>
  );
}
