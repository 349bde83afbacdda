import { useState } from 'react';

import type { Run } from '../../api/model';
import { useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, Field, Modal, TextInput } from '../../ui';
import { renameRun, tagRuns } from './actions';
import { NOTE_TAG } from './columns';

interface IAskProps {
  name: string;
  title: string;
  label: string;
  hint?: string;
  verb: string;
  value: string;
  isLong?: boolean;
  /** Nothing is an answer too. */
  mayBeEmpty?: boolean;
  act: (value: string) => Promise<boolean>;
  onClose: () => void;
}

/** A dialog that asks for one text; Enter accepts it. */
export function AskDialog({ name, title, label, hint, verb, value, isLong, mayBeEmpty, act, onClose }: IAskProps): JSX.Element {
  const { trans } = useStudio();
  const [text, setText] = useState(value);
  const [isBusy, setBusy] = useState(false);
  const isReady = !isBusy && (mayBeEmpty || text.trim() !== '') && text !== value;
  const accept = async (): Promise<void> => {
    if (!isReady) {
      return;
    }
    setBusy(true);
    if (await act(isLong ? text : text.trim())) {
      onClose();
    } else {
      setBusy(false);
    }
  };
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!isReady} onClick={() => void accept()} testId={TEST.dialogAccept}>
        {verb}
      </Button>
    </>
  );
  return (
    <Modal name={name} title={title} width={isLong ? 560 : 440} onClose={onClose} footer={footer}>
      <div onKeyDown={event => event.key === 'Enter' && (!isLong || event.ctrlKey || event.metaKey) && void accept()}>
        <Field label={label} hint={hint}>
          {id =>
            isLong ? (
              <textarea id={id} className="jp-Studio-input" rows={8} value={text} data-autofocus="" data-testid={`${name}-text`} onChange={event => setText(event.target.value)} />
            ) : (
              <TextInput id={id} value={text} onChange={setText} autoFocus testId={`${name}-text`} />
            )
          }
        </Field>
      </div>
    </Modal>
  );
}

export function RenameRun({ run, onClose }: { run: Run; onClose: () => void }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  return <AskDialog name="rename" title={trans.__('Rename %1', run.name)} label={trans.__('Name')} verb={trans.__('Rename')} value={run.name} act={name => renameRun(studio, run, name)} onClose={onClose} />;
}

export function RunNote({ run, onClose }: { run: Run; onClose: () => void }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  return (
    <AskDialog
      name="note"
      title={trans.__('Note on %1', run.name)}
      label={trans.__('Note')}
      hint={trans.__('Markdown; the tag mlflow.note.content for clients. Ctrl+Enter saves.')}
      verb={trans.__('Save')}
      value={run.tags[NOTE_TAG] ?? ''}
      isLong
      mayBeEmpty
      act={text => tagRuns(studio, [run], NOTE_TAG, text.trim() === '' ? null : text, trans.__('The note on %1 is saved.', run.name))}
      onClose={onClose}
    />
  );
}

/** Sets one tag on runs, or takes it away. */
export function TagRuns({ runs, onClose }: { runs: Run[]; onClose: () => void }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  const known = [...new Set(runs.flatMap(run => Object.keys(run.tags)))].filter(name => !name.startsWith('mlflow.') && !name.startsWith('studio.')).sort();
  const set = async (to: string | null): Promise<void> => {
    const done = to === null ? trans._n('The tag %2 is gone from the run.', 'The tag %2 is gone from %1 runs.', runs.length, key) : trans._n('Tagged the run %2.', 'Tagged %1 runs %2.', runs.length, `${key} = ${to}`);
    if (await tagRuns(studio, runs, key.trim(), to, done)) {
      onClose();
    }
  };
  const footer = (
    <>
      {known.includes(key) && <Button onClick={() => void set(null)}>{trans.__('Take away')}</Button>}
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!key.trim()} onClick={() => void set(value)} testId={TEST.dialogAccept}>
        {trans.__('Tag')}
      </Button>
    </>
  );
  return (
    <Modal name="tag" title={trans._n('Tag %2', 'Tag %1 runs', runs.length, runs[0]?.name ?? '')} width={440} onClose={onClose} footer={footer}>
      <div onKeyDown={event => event.key === 'Enter' && key.trim() && void set(value)}>
        <Field label={trans.__('Key')} hint={known.length ? trans.__('These have: %1', known.join(', ')) : undefined}>
          {id => <TextInput id={id} value={key} onChange={setKey} autoFocus testId="tag-key" />}
        </Field>
        <Field label={trans.__('Value')}>{id => <TextInput id={id} value={value} onChange={setValue} testId="tag-value" />}</Field>
      </div>
    </Modal>
  );
}
