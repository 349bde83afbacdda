import { ReactNode, useState } from 'react';

import type { Environment, EnvironmentDetail } from '../../api/model';
import { useAction, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ErrorBox, Field, Modal, Select, TextInput } from '../../ui';
import { Chips } from './packages';
import { NAME, cloneName, packagesOf } from './words';

interface IDialogProps {
  onClose: () => void;
  onDone: (name: string) => void;
}

interface IFormProps {
  name: string;
  title: string;
  verb: string;
  isBlocked: boolean;
  act: () => Promise<{ name: string }>;
  children: ReactNode;
}

/** A form whose act begins a build; what is refused is said in the dialog, so that nothing typed is lost. */
function Form({ name, title, verb, isBlocked, act, children, onClose, onDone }: IFormProps & IDialogProps): JSX.Element {
  const { trans } = useStudio();
  const action = useAction(async () => {
    const made = await act();
    onDone(made.name);
    onClose();
  });
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={isBlocked || action.busy} onClick={() => void action.run()} testId={TEST.dialogAccept}>
        {action.busy ? trans.__('Asking…') : verb}
      </Button>
    </>
  );
  return (
    <Modal name={name} title={title} width={520} onClose={onClose} footer={footer}>
      {children}
      {action.error && <ErrorBox error={action.error} />}
    </Modal>
  );
}

/** A new environment of the domain: from nothing, or from another one. */
export function NewDialog({ all, onClose, onDone }: IDialogProps & { all: Environment[] }): JSX.Element {
  const { trans, client } = useStudio();
  const [name, setName] = useState('');
  const [source, setSource] = useState('');
  const [text, setText] = useState('');
  const packages = packagesOf(text);
  const base = all.find(env => env.name === source);
  const options: [string, string][] = [['', trans.__('Nothing but what every kernel needs')], ...all.map((env): [string, string] => [env.name, env.name])];
  const create = (): Promise<{ name: string }> => client.environments.create(source ? { name, source, add: packages } : { name, packages });
  return (
    <Form name="new-environment" title={trans.__('New environment')} verb={trans.__('Build')} isBlocked={!NAME.test(name) || (!source && packages.length === 0)} act={create} onClose={onClose} onDone={onDone}>
      <NameField value={name} onChange={setName} all={all} autoFocus />
      <Field label={trans.__('Begin with')} hint={base && base.packages.length > 0 && <Chips items={base.packages} />}>
        {id => <Select id={id} value={source} onChange={setSource} options={options} testId={TEST.environmentSource} />}
      </Field>
      <PackagesField label={source ? trans.__('And add') : trans.__('Packages')} value={text} onChange={setText} />
    </Form>
  );
}

/** Packages for an environment; for one of the catalogue it says that the domain gets a clone. */
export function AddDialog({ all, environment, packages, onClose, onDone }: IDialogProps & { all: Environment[]; environment: Environment; packages: readonly string[] }): JSX.Element {
  const { trans, client, session } = useStudio();
  const [text, setText] = useState(packages.join('\n'));
  const usual = cloneName(session?.domain ?? '', environment.name);
  const [clone, setClone] = useState(usual);
  const found = packagesOf(text);
  const known = all.find(env => env.name === clone);
  const isTaken = !environment.is_own && known !== undefined && !known.is_own;
  const add = (): Promise<{ name: string }> => client.environments.add(environment.name, found, environment.is_own ? '' : clone);
  return (
    <Form name="add-packages" title={trans.__('Add packages to %1', environment.name)} verb={trans.__('Add and build')} isBlocked={found.length === 0 || (!environment.is_own && (!NAME.test(clone) || isTaken))} act={add} onClose={onClose} onDone={onDone}>
      <PackagesField label={trans.__('Packages')} value={text} onChange={setText} autoFocus />
      {!environment.is_own && (
        <Field
          label={trans.__('As')}
          hint={
            known?.is_own
              ? trans.__('%1 belongs to this domain: the packages are added to it.', clone)
              : trans.__('%1 is of the catalogue, which all domains share, and stays as it is: this domain gets a clone of this name.', environment.name)
          }
          error={isTaken ? trans.__('The catalogue has one of that name.') : NAME.test(clone) ? undefined : trans.__('Lower-case letters, digits and hyphens, at most 40.')}
        >
          {id => <TextInput id={id} value={clone} onChange={setClone} testId={TEST.environmentName} />}
        </Field>
      )}
      <p className="jp-Studio-hint">{trans.__('What runs goes on with what it has. Restart a kernel to have them.')}</p>
    </Form>
  );
}

/** The whole list as text: what is changed makes a new version. */
export function EditDialog({ env, onClose, onDone }: IDialogProps & { env: EnvironmentDetail }): JSX.Element {
  const { trans, client } = useStudio();
  const newest = env.versions[0];
  const [text, setText] = useState((newest?.packages ?? []).join('\n'));
  const [preload, setPreload] = useState((newest?.preload ?? []).join('\n'));
  const change = (): Promise<{ name: string }> => client.environments.change(env.name, { packages: packagesOf(text), preload: preload.split(/[\s,]+/).filter(Boolean) });
  return (
    <Form name="edit-environment" title={trans.__('Edit %1', env.name)} verb={trans.__('Build version %1', env.newest + 1)} isBlocked={packagesOf(text).length === 0} act={change} onClose={onClose} onDone={onDone}>
      <PackagesField label={trans.__('Packages')} value={text} onChange={setText} rows={8} autoFocus />
      <Field label={trans.__('Imported before kernels are forked')} hint={trans.__('Modules that are slow to import; one a line.')}>
        {id => <Lines id={id} value={preload} onChange={setPreload} rows={4} testId={TEST.environmentPreload} />}
      </Field>
    </Form>
  );
}

export function CloneDialog({ env, onClose, onDone }: IDialogProps & { env: EnvironmentDetail }): JSX.Element {
  const { trans, client, session } = useStudio();
  const [name, setName] = useState(cloneName(session?.domain ?? '', env.name));
  const clone = (): Promise<{ name: string }> => client.environments.create({ name, source: env.name });
  return (
    <Form name="clone-environment" title={trans.__('Clone %1', env.name)} verb={trans.__('Clone')} isBlocked={!NAME.test(name)} act={clone} onClose={onClose} onDone={onDone}>
      <NameField value={name} onChange={setName} all={[]} autoFocus />
      <p className="jp-Studio-hint">{trans.__('The same packages from the same lock, as an environment of this domain that its editors can change. It takes no room until it differs.')}</p>
    </Form>
  );
}

function NameField({ value, onChange, all, autoFocus }: { value: string; onChange: (name: string) => void; all: Environment[]; autoFocus?: boolean }): JSX.Element {
  const { trans } = useStudio();
  const isTaken = all.some(env => env.name === value);
  const wrong = value && !NAME.test(value) ? trans.__('Lower-case letters, digits and hyphens, at most 40.') : isTaken ? trans.__('There is one of that name.') : undefined;
  return (
    <Field label={trans.__('Name')} error={wrong}>
      {id => <TextInput id={id} value={value} onChange={onChange} autoFocus={autoFocus} placeholder={trans.__('analysis')} testId={TEST.environmentName} />}
    </Field>
  );
}

interface IPackagesFieldProps {
  label: string;
  value: string;
  onChange: (text: string) => void;
  rows?: number;
  autoFocus?: boolean;
}

function PackagesField({ label, value, onChange, rows = 4, autoFocus }: IPackagesFieldProps): JSX.Element {
  const { trans } = useStudio();
  return (
    <Field label={label} hint={trans.__('One a line, such as polars or pandas>=2.2. Wheels of the package index only: no options, addresses or paths.')}>
      {id => <Lines id={id} value={value} onChange={onChange} rows={rows} autoFocus={autoFocus} testId={TEST.environmentPackages} />}
    </Field>
  );
}

function Lines({ id, value, onChange, rows, autoFocus, testId }: Omit<IPackagesFieldProps, 'label'> & { id: string; testId: string }): JSX.Element {
  return <textarea id={id} className="jp-Studio-input jp-Studio-lines" rows={rows} value={value} data-autofocus={autoFocus ? '' : undefined} data-testid={testId} spellCheck={false} onChange={event => onChange(event.target.value)} />;
}
