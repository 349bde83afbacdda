import { useState } from 'react';

import type { DataSet } from '../../api/model';
import { formatBytes, formatCount } from '../../format';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ChoiceList, EmptyState, ErrorBox, Field, Modal, Panel, Skeleton, Split, StatusPill, TextInput } from '../../ui';
import { DataSetView } from './dataset';

export function DataPanel({ item }: { item: string }): JSX.Element {
  const { trans } = useStudio();
  const { data, error, refresh } = useResource('datasets', client => client.data.list(), { topics: ['datasets'] });
  const [chosen, setChosen] = useState(item === '+' ? '' : item);
  const [registers, setRegisters] = useState(item === '+');
  const sets = data ?? [];
  const active = sets.find(set => set.name === chosen) ?? sets[0];
  const add = (
    <Button kind="primary" icon="plus" testId={TEST.registerData} onClick={() => setRegisters(true)}>
      {trans.__('Register a file')}
    </Button>
  );
  return (
    <Panel name="data" title={trans.__('Data')} icon="data" actions={sets.length > 0 && add} code={active && codeFor(active)} bare={sets.length > 0}>
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton />}
      {data && sets.length === 0 && (
        <EmptyState
          icon="data"
          testId={TEST.empty('data')}
          title={trans.__('No data sets yet')}
          text={trans.__('Give a file a name and a version, see its columns at a glance, and let runs say exactly which bytes they saw.')}
          action={add}
          code={'from studio.guest import sdk\n\nsdk.register_dataset("weather", "shared/seattle-weather.csv")'}
        />
      )}
      {active && (
        <Split
          list={
            <ChoiceList
              label={trans.__('Data sets')}
              active={active.name}
              onChoose={setChosen}
              items={sets.map(set => ({
                key: set.name,
                title: set.name,
                detail: set.state === 'Ready' ? `${trans.__('%1 rows', formatCount(set.rows))} · ${formatBytes(set.bytes)}` : set.path,
                trail: set.state === 'Ready' ? undefined : <StatusPill state={set.state} compact />,
                testId: TEST.row('datasets', set.name)
              }))}
            />
          }
        >
          <DataSetView key={active.name} name={active.name} />
        </Split>
      )}
      {registers && (
        <RegisterDialog
          onClose={() => setRegisters(false)}
          onDone={name => {
            setRegisters(false);
            setChosen(name);
            void refresh();
          }}
        />
      )}
    </Panel>
  );
}

function codeFor(set: DataSet): string {
  return `from studio.guest import sdk

df = sdk.dataset("${set.name}")  # version ${set.version ?? '–'}, sha256 ${set.hash?.slice(0, 12) ?? ''}`;
}

const EXAMPLE = { path: 'shared/seattle-weather.csv', name: 'seattle-weather' };

function RegisterDialog({ onClose, onDone }: { onClose: () => void; onDone: (name: string) => void }): JSX.Element {
  const { trans, client, session } = useStudio();
  const [path, setPath] = useState('');
  const [name, setName] = useState('');
  const register = useAction(async () => client.data.register(name, path));
  const onPath = (value: string): void => {
    const old = nameOf(path);
    setPath(value);
    if (name === '' || name === old) {
      setName(nameOf(value));
    }
  };
  const submit = async (): Promise<void> => {
    if (await register.run()) {
      onDone(name);
    }
  };
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!path || !name || register.busy} onClick={() => void submit()} testId={TEST.dialogAccept}>
        {register.busy ? trans.__('Registering…') : trans.__('Register')}
      </Button>
    </>
  );
  return (
    <Modal name="register-data" title={trans.__('Register a file')} onClose={onClose} footer={footer}>
      <form
        onSubmit={event => {
          event.preventDefault();
          void submit();
        }}
      >
        <Field label={trans.__('File')} hint={trans.__('CSV or Parquet: shared/… or %1/… in the file browser. Drop a file there to upload it first.', session?.user ?? '')}>
          {id => <TextInput id={id} value={path} onChange={onPath} placeholder={EXAMPLE.path} mono autoFocus testId={TEST.dataPath} />}
        </Field>
        <Field label={trans.__('Name')}>{id => <TextInput id={id} value={name} onChange={setName} placeholder={EXAMPLE.name} testId={TEST.dataName} />}</Field>
        <button type="submit" hidden />
      </form>
      {register.error && <ErrorBox error={register.error} />}
    </Modal>
  );
}

/** A data set's name from a file's path: its stem as a DNS label. */
export function nameOf(path: string): string {
  const stem = path.split('/').pop()?.replace(/\.[^.]*$/, '') ?? '';
  return stem
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40);
}
