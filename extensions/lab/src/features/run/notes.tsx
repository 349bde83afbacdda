import { useState } from 'react';

import type { RunDetail } from '../../api/model';
import { useAction, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ErrorBox, Markdown, Section, TextInput } from '../../ui';
import { NOTE, groupTags } from './tags';

interface INotesProps {
  run: RunDetail;
  refresh: () => Promise<void>;
}

/** The note and the tags that people gave a run. */
export function Notes({ run, refresh }: INotesProps): JSX.Element {
  return (
    <div className="jp-Studio-columns2">
      <Note text={run.tags[NOTE] ?? ''} run={run} refresh={refresh} />
      <OwnTags run={run} refresh={refresh} />
    </div>
  );
}

function Note({ text, run, refresh }: INotesProps & { text: string }): JSX.Element {
  const { trans, client } = useStudio();
  const save = useAction(async (value: string) => {
    await client.run.change(run.run_id, { tags: { [NOTE]: value || (text ? null : '') } });
    await refresh();
  });
  return <NoteEditor title={trans.__('Note')} empty={trans.__('What was tried, why, and what came of it. Markdown; mlflow.note.content for clients.')} text={text} save={save.run} error={save.error} />;
}

interface INoteEditorProps {
  title: string;
  empty: string;
  text: string;
  save: (text: string) => Promise<boolean>;
  error: Error | undefined;
}

/** Markdown that is read until somebody edits it; Ctrl+Enter saves, Esc leaves it as it was. */
export function NoteEditor({ title, empty, text, save, error }: INoteEditorProps): JSX.Element {
  const { trans } = useStudio();
  const [draft, setDraft] = useState<string | null>(null);
  const submit = async (): Promise<void> => {
    if (draft === null || draft === text || (await save(draft))) {
      setDraft(null);
    }
  };
  const edit = (
    <Button kind="quiet" icon="edit" testId={TEST.runNoteEdit} onClick={() => setDraft(text)}>
      {text ? trans.__('Edit') : trans.__('Write')}
    </Button>
  );
  return (
    <Section title={title} aside={draft === null && edit}>
      {draft === null ? (
        text ? (
          <Markdown text={text} testId={TEST.runNote} />
        ) : (
          <p className="jp-Studio-hint">{empty}</p>
        )
      ) : (
        <>
          <textarea
            className="jp-Studio-input"
            rows={10}
            value={draft}
            autoFocus
            aria-label={title}
            data-testid={TEST.runNote}
            onChange={event => setDraft(event.target.value)}
            onKeyDown={event => {
              if (event.key === 'Escape') {
                setDraft(null);
              } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
                event.preventDefault();
                void submit();
              }
            }}
          />
          <div className="jp-Studio-formEnd">
            <Button onClick={() => setDraft(null)}>{trans.__('Cancel')}</Button>
            <Button kind="primary" testId={TEST.runNoteSave} onClick={() => void submit()}>
              {trans.__('Save')}
            </Button>
          </div>
          {error && <ErrorBox error={error} />}
        </>
      )}
    </Section>
  );
}

function OwnTags({ run, refresh }: INotesProps): JSX.Element {
  const { trans, client } = useStudio();
  const change = useAction(async (tags: Record<string, string | null>) => {
    await client.run.change(run.run_id, { tags });
    await refresh();
  });
  return (
    <Section title={trans.__('Tags')}>
      <TagEditor tags={groupTags(run.tags).own} change={change.run} busy={change.busy} />
      {change.error && <ErrorBox error={change.error} />}
    </Section>
  );
}

interface ITagEditorProps {
  tags: [string, string][];
  change: (tags: Record<string, string | null>) => Promise<boolean>;
  busy: boolean;
}

/** Tags with a way to take each away, and a line to add one. */
export function TagEditor({ tags, change, busy }: ITagEditorProps): JSX.Element {
  const { trans } = useStudio();
  const [key, setKey] = useState('');
  const [value, setValue] = useState('');
  const add = async (): Promise<void> => {
    if (key.trim() && (await change({ [key.trim()]: value }))) {
      setKey('');
      setValue('');
    }
  };
  return (
    <>
      <div className="jp-Studio-tagList">
        {tags.map(([name, text]) => (
          <span key={name} className="jp-Studio-tagChip" title={`${name} = ${text}`}>
            <small>{name}</small>
            <span>{text}</span>
            <Button kind="quiet" icon="close" title={trans.__('Take %1 away', name)} disabled={busy} onClick={() => void change({ [name]: null })} />
          </span>
        ))}
      </div>
      <form
        className="jp-Studio-tagForm"
        onSubmit={event => {
          event.preventDefault();
          void add();
        }}
      >
        <TextInput value={key} onChange={setKey} placeholder={trans.__('key')} label={trans.__('Key of a new tag')} />
        <TextInput value={value} onChange={setValue} placeholder={trans.__('value')} label={trans.__('Value of a new tag')} />
        <Button submit disabled={!key.trim() || busy}>
          {trans.__('Add')}
        </Button>
      </form>
    </>
  );
}
