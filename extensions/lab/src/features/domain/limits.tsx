import { useState } from 'react';

import type { Domain, DomainSettings, Isolation } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ErrorBox, Field, Section, Select, Skeleton, TextInput } from '../../ui';
import { AdminsOnly, Failure, ISectionProps, Page } from './parts';
import { ISettingsForm, changesOf, formOf, problemOf } from './settingsform';

/** What code here reaches, how much it may use, how well it must be held: with what each choice means. */
export function LimitsPage({ domain }: ISectionProps): JSX.Element {
  const { trans } = useStudio();
  const settings = useResource('settings', client => client.domain.settings(), { topics: ['running'] });
  const isolation = useResource('isolation', client => client.domain.isolation(), { topics: ['running'] });
  const [turn, setTurn] = useState(0);
  const error = settings.error ?? isolation.error;
  return (
    <Page name="limits" title={trans.__('Network & limits')} lead={trans.__('What code of this domain reaches and how much of this computer it may use.')}>
      {error && <Failure error={error} domain={domain} onRetry={() => void Promise.all([settings.refresh(), isolation.refresh()])} />}
      {!settings.data && !error && <Skeleton rows={8} />}
      {settings.data && (
        <SettingsForm
          key={turn}
          domain={domain}
          settings={settings.data}
          isolation={isolation.data}
          onSaved={async () => {
            await Promise.all([settings.refresh(), isolation.refresh()]);
            setTurn(turn + 1);
          }}
        />
      )}
    </Page>
  );
}

interface IFormProps {
  domain: Domain;
  settings: DomainSettings;
  isolation: Isolation | undefined;
  onSaved: () => Promise<void>;
}

function SettingsForm({ domain, settings, isolation, onSaved }: IFormProps): JSX.Element {
  const { trans, client, session } = useStudio();
  const isAdmin = session?.role === 'admin';
  const [form, setForm] = useState(formOf(settings));
  const put = (change: Partial<ISettingsForm>): void => setForm({ ...form, ...change });
  const changes = changesOf(settings, form);
  const problem = problemOf(form, trans);
  const save = useAction(async (restart: boolean) => {
    await client.domain.changeSettings({ ...changes, restart });
    await onSaved();
  });
  const late = settings.sandboxes.filter(box => box.at_next_start.length > 0);
  const isChanged = Object.keys(changes).length > 0;
  return (
    <>
      <fieldset className="jp-Studio-form jp-mod-settings" disabled={!isAdmin || save.busy}>
        <Section title={trans.__('Network')}>
          <NetworkChoice mode={form.network} onChoose={network => put({ network })} />
        </Section>
        <Section title={trans.__('Limits of each sandbox')}>
          <Amounts form={form} settings={settings} put={put} />
        </Section>
        <Section title={trans.__('Isolation and idle time')}>
          <Demands form={form} isolation={isolation} put={put} />
        </Section>
      </fieldset>
      {save.error && <ErrorBox error={save.error} />}
      {isAdmin ? (
        <div className="jp-Studio-saveBar">
          <Button kind="primary" disabled={!isChanged || problem !== '' || save.busy} testId={TEST.settingsSave} onClick={() => void save.run(false)}>
            {save.busy ? trans.__('Saving…') : trans.__('Save')}
          </Button>
          <Button disabled={!isChanged || save.busy} onClick={() => setForm(formOf(settings))}>
            {trans.__('Undo changes')}
          </Button>
          <span className={problem ? 'jp-Studio-invalidText' : 'jp-Studio-hint'}>{problem || (isChanged ? trans.__('Not saved yet.') : '')}</span>
        </div>
      ) : (
        <AdminsOnly domain={domain} what={trans.__('Admins change these.')} />
      )}
      {late.length > 0 && !isChanged && (
        <div className="jp-Studio-banner jp-mod-after">
          <span>{trans.__('Some settings hold in the sandboxes of %1 only when they start again.', late.map(box => box.owner).join(', '))}</span>
          {isAdmin && (
            <Button disabled={save.busy} title={trans.__('Ends their kernels; files stay, endpoints start again')} onClick={() => void save.run(true)}>
              {trans.__('Restart them now')}
            </Button>
          )}
        </div>
      )}
    </>
  );
}

/** The three modes with what they mean for the code, in plain words. */
function NetworkChoice({ mode, onChoose }: { mode: string; onChoose: (mode: string) => void }): JSX.Element {
  const { trans } = useStudio();
  const modes: [string, string, string][] = [
    ['studio', trans.__('Studio only'), trans.__("Reaches Studio's API and nothing else: no internet, no data from outside, nothing of this computer.")],
    ['open', trans.__('Open'), trans.__('Reaches the internet, and also what listens on this computer: databases, other programs.')],
    ['none', trans.__('None'), trans.__('Reaches nothing. Tracking from code is refused; notebooks and panels work.')]
  ];
  return (
    <div className="jp-Studio-modes jp-mod-3" role="radiogroup" aria-label={trans.__('Network')}>
      {modes.map(([name, title, text]) => (
        <label key={name} className={`jp-Studio-mode${name === mode ? ' jp-mod-active' : ''}`}>
          <input type="radio" name="network" checked={name === mode} data-testid={TEST.networkMode(name)} onChange={() => onChoose(name)} />
          <span>
            <b>{title}</b>
          </span>
          <small>{text}</small>
        </label>
      ))}
    </div>
  );
}

interface IFieldsProps {
  form: ISettingsForm;
  put: (change: Partial<ISettingsForm>) => void;
}

function Amounts({ form, settings, put }: IFieldsProps & { settings: DomainSettings }): JSX.Element {
  const { trans } = useStudio();
  const { limits } = settings;
  const effective = (value: string, now: string): string => (value.trim() === '' ? trans.__('Left empty: %1.', now) : Number(value) === 0 ? trans.__('0: no limit.') : '');
  return (
    <div className="jp-Studio-fieldRow">
      <Field label={trans.__('Memory, GiB')} hint={effective(form.memory, trans.__('what fits this host, %1 GiB', Math.round(limits.memory_mb / 1024)))}>
        {id => <TextInput id={id} value={form.memory} onChange={memory => put({ memory })} testId={TEST.setting('memory')} />}
      </Field>
      <Field label={trans.__('CPU, cores')} hint={effective(form.cpu, limits.cpu ? String(limits.cpu) : trans.__('shared evenly among all'))}>
        {id => <TextInput id={id} value={form.cpu} onChange={cpu => put({ cpu })} testId={TEST.setting('cpu')} />}
      </Field>
      <Field label={trans.__('Processes and threads')} hint={effective(form.processes, trans.__('what fits this host, %1', limits.pids))}>
        {id => <TextInput id={id} value={form.processes} onChange={processes => put({ processes })} testId={TEST.setting('processes')} />}
      </Field>
    </div>
  );
}

function Demands({ form, isolation, put }: IFieldsProps & { isolation: Isolation | undefined }): JSX.Element {
  const { trans } = useStudio();
  const levels = Object.entries(isolation?.levels ?? {});
  const at = (name: string): number => levels.findIndex(([level]) => level === name);
  const isBeyond = isolation !== undefined && at(form.required) > at(isolation.level);
  const meaning = form.required === 'none' ? trans.__('Runs however well this host holds it.') : trans.__('Runs only where %1.', levels.find(([name]) => name === form.required)?.[1] ?? '');
  return (
    <div className="jp-Studio-fieldRow">
      <Field
        label={trans.__('Refuses to run below')}
        hint={meaning}
        error={isBeyond ? trans.__('This host reaches %1: labs, jobs and endpoints would refuse to start.', isolation.level) : undefined}
      >
        {id => <Select id={id} value={form.required} options={levels.length ? levels.map(([name]) => name) : [form.required]} onChange={required => put({ required })} testId={TEST.setting('required')} />}
      </Field>
      <Field label={trans.__('Idle sandbox ends after, minutes')} hint={trans.__('No kernel busy, no job, no replica, no open page. 0: never.')}>
        {id => <TextInput id={id} value={form.idle} onChange={idle => put({ idle })} testId={TEST.setting('idle')} />}
      </Field>
    </div>
  );
}
