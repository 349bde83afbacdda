import { useState } from 'react';

import type { Endpoint } from '../../api/model';
import { useAction, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ErrorBox, Field, Section, Select, TextInput } from '../../ui';
import { fieldsOf } from '../models/signature';
import { IEndpointForm, changesOf, formOf, problemsOf } from './settingsform';

interface ISettingsProps {
  endpoint: Endpoint;
  mayChange: boolean;
  onSaved: () => Promise<void>;
}

/** What can be changed while it serves: one form, one Save; callers notice nothing of the change itself. */
export function Settings({ endpoint, mayChange, onSaved }: ISettingsProps): JSX.Element {
  const { trans, client } = useStudio();
  const before = formOf(endpoint.mode, endpoint.settings);
  const [typed, setTyped] = useState<Partial<IEndpointForm>>({});
  // What is not typed here follows the server: somebody else may change it meanwhile.
  const form = { ...before, ...typed };
  const changes = changesOf(before, form);
  const problems = problemsOf(form, trans);
  const isChanged = Object.keys(changes).length > 0;
  const problem = Object.values(problems)[0] ?? '';
  const put = (change: Partial<IEndpointForm>): void => setTyped({ ...typed, ...change });
  const save = useAction(async () => {
    await client.endpoints.change(endpoint.name, changes);
    await onSaved();
    setTyped({});
  });
  return (
    <form
      className="jp-Studio-endpointSettings"
      onSubmit={event => {
        event.preventDefault();
        void save.run();
      }}
    >
      <fieldset className="jp-Studio-form jp-mod-settings" disabled={!mayChange || save.busy}>
        <div className="jp-Studio-settingsGrid">
          <Running form={form} problems={problems} put={put} />
          <Requests form={form} problems={problems} put={put} />
          <Capture endpoint={endpoint} form={form} problems={problems} put={put} />
        </div>
      </fieldset>
      {save.error && <ErrorBox error={save.error} />}
      <div className="jp-Studio-saveBar">
        <Button kind="primary" submit disabled={!mayChange || !isChanged || problem !== '' || save.busy} testId={TEST.endpointSave}>
          {save.busy ? trans.__('Saving…') : trans.__('Save')}
        </Button>
        <Button disabled={!isChanged || save.busy} onClick={() => setTyped({})}>
          {trans.__('Undo changes')}
        </Button>
        <span className={problem ? 'jp-Studio-invalidText' : 'jp-Studio-hint'}>{problem || (!mayChange ? trans.__('Viewers read these; an editor changes them.') : isChanged ? trans.__('Not saved yet.') : '')}</span>
      </div>
    </form>
  );
}

interface IPartProps {
  form: IEndpointForm;
  problems: Partial<Record<keyof IEndpointForm, string>>;
  put: (change: Partial<IEndpointForm>) => void;
}

function Running({ form, problems, put }: IPartProps): JSX.Element {
  const { trans } = useStudio();
  return (
    <Section title={trans.__('Running')}>
      <Field label={trans.__('When it runs')} hint={form.mode === 'serverless' ? trans.__('It costs nothing at zero and wakes on the next request.') : trans.__('It answers at once, always, and costs its price per hour.')}>
        {id => (
          <Select
            id={id}
            value={form.mode}
            testId={TEST.endpointSetting('mode')}
            options={[
              ['always', trans.__('Always on')],
              ['serverless', trans.__('Serverless')]
            ]}
            onChange={mode => put({ mode: mode === 'serverless' ? 'serverless' : 'always' })}
          />
        )}
      </Field>
      {form.mode === 'serverless' && <Line name="idle" label={trans.__('To zero after')} hint={trans.__('Time without a request.')} form={form} problems={problems} put={put} />}
      <Line name="load" label={trans.__('Load per replica')} hint={trans.__('Requests in flight and queued above which there are more replicas.')} form={form} problems={problems} put={put} />
      <Check name="fastPath" label={trans.__('Exact fast path')} hint={trans.__('Linear models and forests of scikit-learn are computed directly, if every bit of the answers stays the same. Acts on replicas that start from now on.')} form={form} put={put} />
    </Section>
  );
}

function Requests({ form, problems, put }: IPartProps): JSX.Element {
  const { trans } = useStudio();
  return (
    <Section title={trans.__('Requests')}>
      <div className="jp-Studio-pair">
        <Line name="rate" label={trans.__('Rate limit, requests/s')} hint={trans.__('Empty: none.')} form={form} problems={problems} put={put} />
        <Line name="timeout" label={trans.__('Time limit')} hint={trans.__('Then the caller gets an error.')} form={form} problems={problems} put={put} />
      </div>
      <Line name="body" label={trans.__('Largest body, MiB')} form={form} problems={problems} put={put} />
      <Field label={trans.__('Pages that may call it (CORS)')} hint={trans.__('One origin a line; none: only programs and this page.')} error={problems.cors}>
        {id => (
          <textarea
            id={id}
            className="jp-Studio-input jp-mod-mono"
            rows={3}
            value={form.cors}
            placeholder={trans.__('https://app.example.org')}
            spellCheck={false}
            data-testid={TEST.endpointSetting('cors')}
            onChange={event => put({ cors: event.target.value })}
          />
        )}
      </Field>
    </Section>
  );
}

function Capture({ endpoint, form, problems, put }: IPartProps & { endpoint: Endpoint }): JSX.Element {
  const { trans } = useStudio();
  const known = (fieldsOf(endpoint.signature) ?? []).map(field => field.name);
  const columns = [...new Set([...known, ...form.redact])];
  const toggle = (column: string): void => put({ redact: form.redact.includes(column) ? form.redact.filter(name => name !== column) : [...form.redact, column] });
  return (
    <Section title={trans.__('Capture')}>
      <Check name="capture" label={trans.__('Keep requests and answers')} hint={trans.__('For its monitor and for Captured rows; it never slows an answer down.')} form={form} put={put} />
      {form.capture && (
        <>
          <div className="jp-Studio-pair">
            <Line name="percent" label={trans.__('Of the requests, %')} form={form} problems={problems} put={put} />
            <Line name="days" label={trans.__('Kept for, days')} form={form} problems={problems} put={put} />
          </div>
          {columns.length > 0 && (
            <fieldset className="jp-Studio-chips">
              <legend>{trans.__('Columns whose values are not kept')}</legend>
              {columns.map(column => (
                <button key={column} type="button" aria-pressed={form.redact.includes(column)} data-testid={TEST.endpointSetting(`redact-${column}`)} onClick={() => toggle(column)}>
                  {column}
                </button>
              ))}
            </fieldset>
          )}
        </>
      )}
    </Section>
  );
}

type TextName = 'idle' | 'timeout' | 'body' | 'rate' | 'load' | 'percent' | 'days';

function Line({ name, label, hint, form, problems, put }: IPartProps & { name: TextName; label: string; hint?: string }): JSX.Element {
  return (
    <Field label={label} hint={hint} error={problems[name]}>
      {id => <TextInput id={id} value={form[name]} onChange={value => put({ [name]: value })} testId={TEST.endpointSetting(name)} />}
    </Field>
  );
}

function Check({ name, label, hint, form, put }: { name: 'fastPath' | 'capture'; label: string; hint: string; form: IEndpointForm; put: IPartProps['put'] }): JSX.Element {
  return (
    <label className="jp-Studio-check">
      <input type="checkbox" checked={form[name]} data-testid={TEST.endpointSetting(name)} onChange={event => put({ [name]: event.target.checked })} />
      <span>
        {label}
        <small>{hint}</small>
      </span>
    </label>
  );
}
