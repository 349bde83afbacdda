import type { TranslationBundle } from '@jupyterlab/translation';

import type { EndpointMode, EndpointSummary, ModelVersion } from '../../api/model';
import { useMoney, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Field, Select, TextInput } from '../../ui';
import { DecisionLine } from '../models/approval';
import { IRange, ReplicaRange, rangeProblem } from './replicas';
import { wakesIn } from './wakes';

/** What is to be deployed, as chosen; empty is what fits. */
export interface IDeployForm {
  name: string;
  version: string;
  mode: EndpointMode;
  instance: string;
  environment: string;
  range: IRange;
  capture: boolean;
}

export function isName(name: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name);
}

interface IFieldsProps {
  form: IDeployForm;
  put: (change: Partial<IDeployForm>) => void;
  versions: ModelVersion[];
  /** The endpoint that has this name already. */
  current: EndpointSummary | undefined;
  disabled: boolean;
}

/** Name and version; and, for a new endpoint, when it runs, on what, and what is kept. */
export function DeployFields({ form, put, versions, current, disabled }: IFieldsProps): JSX.Element {
  const { trans } = useStudio();
  const approval = versions.find(item => String(item.version) === form.version)?.approval;
  return (
    <fieldset className="jp-Studio-form" disabled={disabled}>
      <Field
        label={trans.__('Endpoint name')}
        hint={current && existing(current, form.version, trans)}
        error={form.name && !isName(form.name) ? trans.__('Lower-case letters, digits and hyphens, at most 40.') : undefined}
      >
        {id => <TextInput id={id} value={form.name} onChange={name => put({ name })} autoFocus testId={TEST.deployName} />}
      </Field>
      <Field label={trans.__('Version')}>
        {id => (
          <Select
            id={id}
            value={form.version}
            testId={TEST.deployVersion}
            onChange={version => put({ version })}
            options={versions.map(v => [String(v.version), `v${v.version}${v.aliases.map(alias => ` @${alias}`).join('')}`])}
          />
        )}
      </Field>
      {approval && (
        <div className="jp-Studio-approval jp-mod-inDialog">
          <div>
            <DecisionLine decision={approval} />
          </div>
        </div>
      )}
      {!current && <NewFields form={form} put={put} versions={versions} />}
    </fieldset>
  );
}

/** What deploying does to an endpoint that is there. */
function existing(current: EndpointSummary, version: string, trans: TranslationBundle): string {
  if (current.state !== 'Failed' && String(current.version) === version) {
    return trans.__('%1 exists and serves this version already. Choose another version, or another name.', current.name);
  }
  return current.state === 'Failed'
    ? trans.__('%1 exists and does not answer: this version is started in its place.', current.name)
    : trans.__('%1 exists and serves version %2: its traffic moves to this version without a failed request. To move it in steps, use Promote on its page.', current.name, current.version);
}

function NewFields({ form, put, versions }: Pick<IFieldsProps, 'form' | 'put' | 'versions'>): JSX.Element {
  const { trans } = useStudio();
  const money = useMoney();
  const types = useResource('instance-types', c => c.endpoints.instanceTypes(), { topics: [] });
  const type = types.data?.find(t => t.name === form.instance) ?? types.data?.[0];
  const price = type?.price_per_hour;
  return (
    <>
      <div className="jp-Studio-modes" role="radiogroup" aria-label={trans.__('When it runs')}>
        <Mode mode="always" form={form} put={put} title={trans.__('Always on')} price={`${money(price)}/h`} text={trans.__('Answers at once, always.')} />
        <Serverless form={form} put={put} versions={versions} price={price} />
      </div>
      <Field label={trans.__('Instance type')} hint={type && `${type.cpu} CPU · ${Math.round(type.memory_mb / 100) / 10} GB${type.gpu ? ` · ${type.gpu} GPU` : ''} · ${trans.__('%1/h for each replica while it runs', money(price))}`}>
        {id => <Select id={id} value={type?.name ?? ''} testId={TEST.deployInstance} onChange={instance => put({ instance })} options={(types.data ?? []).map(t => t.name)} />}
      </Field>
      <Environment form={form} put={put} versions={versions} />
      <Advanced form={form} put={put} price={price} />
    </>
  );
}

function Serverless({ form, put, versions, price }: Pick<IFieldsProps, 'form' | 'put' | 'versions'> & { price: number | undefined }): JSX.Element {
  const { trans } = useStudio();
  const money = useMoney();
  const { chosen } = useEnvironment(form, versions);
  const times = useResource('wake-times', c => c.endpoints.wakeTimes(), { topics: [] });
  const wakes = wakesIn(times.data?.find(one => one.environment === chosen), trans);
  return (
    <Mode
      mode="serverless"
      form={form}
      put={put}
      title={trans.__('Serverless')}
      price={trans.__('%1/h idle', money(0))}
      text={`${trans.__('%1/h while it answers.', money(price))} ${wakes}`}
    />
  );
}

/** The environments that can be used, and the one that fits: the model's own, else the domain's. */
export function useEnvironment(form: IDeployForm, versions: ModelVersion[]): { usable: string[]; birthplace: string | undefined; chosen: string } {
  const { data } = useResource('environments', c => c.environments.list(), { topics: ['environments'] });
  const birthplace = versions.find(item => String(item.version) === form.version)?.environment;
  const usable = (data ?? []).filter(env => env.is_ready);
  const fits = usable.find(env => env.name === birthplace) ?? usable.find(env => env.is_default);
  return { usable: usable.map(env => env.name), birthplace: birthplace || undefined, chosen: form.environment || (fits?.name ?? '') };
}

function Environment({ form, put, versions }: Pick<IFieldsProps, 'form' | 'put' | 'versions'>): JSX.Element | null {
  const { trans } = useStudio();
  const { usable, birthplace, chosen } = useEnvironment(form, versions);
  if (usable.length < 2) {
    return null;
  }
  return (
    <Field label={trans.__('Environment')} hint={chosen && chosen === birthplace ? trans.__('The one that the model was made in.') : undefined}>
      {id => <Select id={id} value={chosen} testId={TEST.deployEnvironment} onChange={environment => put({ environment })} options={usable} />}
    </Field>
  );
}

function Advanced({ form, put, price }: Pick<IFieldsProps, 'form' | 'put'> & { price: number | undefined }): JSX.Element {
  const { trans, session } = useStudio();
  const money = useMoney();
  const problem = rangeProblem(form.range, trans);
  const least = form.mode === 'serverless' ? 0 : Number(form.range.least);
  return (
    <>
      <label className="jp-Studio-check">
        <input type="checkbox" checked={form.capture} data-testid={TEST.deployCapture} onChange={event => put({ capture: event.target.checked })} />
        <span>
          {trans.__('Capture requests and answers')}
          <small>{form.capture ? trans.__('Kept in %1 for its monitor; how much and how long is a setting of the endpoint.', session?.domain ?? '') : trans.__('Nothing is kept, and its monitor has nothing to compare.')}</small>
        </span>
      </label>
      <details className="jp-Studio-more">
        <summary data-testid={TEST.deployAdvanced}>{trans.__('Replicas')}</summary>
        <ReplicaRange range={form.range} onChange={range => put({ range })} problem={problem} />
        {!problem && price !== undefined && (
          <p className="jp-Studio-hint">
            {least === Number(form.range.most)
              ? trans.__('%1 per hour.', money(least * price))
              : trans.__('Its load decides between them, within a second or two. %1 to %2 per hour.', money(least * price), money(Number(form.range.most) * price))}
          </p>
        )}
      </details>
    </>
  );
}

interface IModeProps extends Pick<IFieldsProps, 'form' | 'put'> {
  mode: EndpointMode;
  title: string;
  price: string;
  text: string;
}

function Mode({ mode, form, put, title, price, text }: IModeProps): JSX.Element {
  return (
    <label className={`jp-Studio-mode${mode === form.mode ? ' jp-mod-active' : ''}`}>
      <input type="radio" name="mode" checked={mode === form.mode} data-testid={TEST.deployMode(mode)} onChange={() => put({ mode })} />
      <span>
        <b>{title}</b>
        <span className="jp-Studio-price">{price}</span>
      </span>
      <small>{text}</small>
    </label>
  );
}
