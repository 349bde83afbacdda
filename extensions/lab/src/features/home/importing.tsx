import { useState } from 'react';

import type { NewAccessKey } from '../../api/model';
import { useAction, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, CodeSnippet, ErrorBox, Field, Modal, TextInput } from '../../ui';
import { importCommand } from './importcommand';

/** A key for importing lives for a day and may write runs and models, nothing else. */
const SCOPE = { actions: ['tracking.*', 'registry.*'], resources: [] };

/** Shows the command that brings what an MLflow folder or database holds, with the address and a key that fit. */
export function ImportDialog({ onClose }: { onClose: () => void }): JSX.Element {
  const { trans, client, session } = useStudio();
  const [path, setPath] = useState('./mlruns');
  const [made, setMade] = useState<NewAccessKey | null>(null);
  const isViewer = session?.role === 'viewer';
  const make = useAction(async () => setMade(await client.domain.createKey(session?.user ?? '', trans.__('import from MLflow'), 1, SCOPE)));
  const footer = made ? (
    <Button kind="primary" testId={TEST.dialogAccept} onClick={onClose}>
      {trans.__('I have copied it')}
    </Button>
  ) : (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={isViewer || !path.trim() || make.busy} testId={TEST.dialogAccept} onClick={() => void make.run()}>
        {make.busy ? trans.__('Making a key…') : trans.__('Show the command')}
      </Button>
    </>
  );
  return (
    <Modal name="import" title={trans.__('Import from MLflow')} width={560} onClose={onClose} footer={footer}>
      <p>{trans.__('Experiments, runs, metrics, files and registered models come over as they are. The command reads them where they lie, so run it on the computer that has them. Doing it again brings only what has changed.')}</p>
      <Field label={trans.__('What to import')} hint={trans.__('An mlruns folder, or a mlflow.db.')}>
        {id => <TextInput id={id} value={path} onChange={setPath} mono autoFocus disabled={made !== null} />}
      </Field>
      {made && (
        <>
          <CodeSnippet code={importCommand(made.env, session?.domain ?? '', path.trim())} testId={TEST.importCommand} />
          <p className="jp-Studio-hint">{trans.__('The key is shown only now. It lives for a day and may write runs and models in %1, nothing else; revoke it earlier under Domain.', session?.domain ?? '')}</p>
        </>
      )}
      {isViewer && <p className="jp-Studio-hint">{trans.__('Viewers change nothing: an editor or admin of %1 can import.', session?.domain ?? '')}</p>}
      {make.error && <ErrorBox error={make.error} />}
    </Modal>
  );
}
