import { useState } from 'react';

import type { ModelVersion } from '../../api/model';
import { useAction, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ErrorBox, Field, Modal, TextInput } from '../../ui';
import { tellWithUndo } from '../../undo';

interface IAliasDialogProps {
  model: string;
  version: ModelVersion;
  aliases: Readonly<Record<string, number>>;
  onClose: () => void;
}

/** Gives a version an alias, takes one away; both can be undone. */
export function AliasDialog({ model, version, aliases, onClose }: IAliasDialogProps): JSX.Element {
  const studio = useStudio();
  const { trans, client } = studio;
  const [alias, setAlias] = useState('champion');
  const before = aliases[alias];
  const set = useAction(async () => {
    await client.models.setAlias(model, alias, version.version);
    tellWithUndo(studio, trans.__('%1@%2 means version %3.', model, alias, version.version), () =>
      before === undefined ? client.models.deleteAlias(model, alias) : client.models.setAlias(model, alias, before)
    );
    onClose();
  });
  const drop = useAction(async (name: string) => {
    await client.models.deleteAlias(model, name);
    tellWithUndo(studio, trans.__('%1 has no alias %2 any more.', model, name), () => client.models.setAlias(model, name, version.version));
    onClose();
  });
  const isSame = before === version.version;
  const hint = isSame
    ? trans.__('It means this version already.')
    : before !== undefined
      ? trans.__('It moves from version %1 to version %2. Code that loads models:/%3@%4 gets this version from then on; endpoints go on with theirs.', before, version.version, model, alias)
      : trans.__('models:/%1@%2 then means this version; an alias is never on two versions.', model, alias);
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!alias || isSame || set.busy} onClick={() => void set.run()} testId={TEST.dialogAccept}>
        {before !== undefined && !isSame ? trans.__('Move alias') : trans.__('Set alias')}
      </Button>
    </>
  );
  return (
    <Modal name="alias" title={trans.__('Aliases of %1 v%2', model, version.version)} width={420} onClose={onClose} footer={footer}>
      {version.aliases.length > 0 && (
        <div className="jp-Studio-tagList">
          {version.aliases.map(name => (
            <span key={name} className="jp-Studio-tagChip">
              <span>@{name}</span>
              <Button kind="quiet" icon="close" title={trans.__('Take @%1 away', name)} disabled={drop.busy} onClick={() => void drop.run(name)} />
            </span>
          ))}
        </div>
      )}
      <Field label={trans.__('Alias')} hint={hint}>
        {id => <TextInput id={id} value={alias} onChange={setAlias} autoFocus />}
      </Field>
      {(set.error ?? drop.error) && <ErrorBox error={(set.error ?? drop.error) as Error} />}
    </Modal>
  );
}
