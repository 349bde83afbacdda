import { useEffect, useRef, useState } from 'react';

import type { Endpoint, EndpointMode, NewEndpoint } from '../../api/model';
import { formatDuration } from '../../format';
import { useAction, useMoney, useResource, useStudio } from '../../hooks';
import { StudioError } from '../../request';
import { TEST } from '../../testids';
import { Button, CodeSnippet, ErrorBox, Field, Modal, Select, StatusPill, TextInput } from '../../ui';
import { DecisionLine } from '../models/approval';

interface IDeployDialogProps {
  model: string;
  version?: string;
  onClose: () => void;
}

type Phase = 'form' | 'working' | 'done' | 'failed';

const POLL_MS = 250;
/** A promotion that has left the endpoint as it was, with a reason, after this long did not go well. */
const PATIENCE_MS = 1500;

/**
 * Deploys a version as an endpoint, or promotes it where the endpoint exists. The button becomes the progress line;
 * what fails is shown with its reason and is taken back before another try, so that nothing half-made stays behind.
 */
export function DeployDialog({ model, version, onClose }: IDeployDialogProps): JSX.Element {
  const studio = useStudio();
  const { trans, client, session } = studio;
  const money = useMoney();
  const types = useResource('instance-types', c => c.endpoints.instanceTypes(), { topics: [] });
  const endpoints = useResource('endpoints', c => c.endpoints.list(), { topics: ['endpoints'] });
  const detail = useResource(`model/${model}`, c => c.models.get(model), { topics: ['models'] });
  const [name, setName] = useState(model);
  const [chosen, setChosen] = useState(version ?? '');
  const [mode, setMode] = useState<EndpointMode>('always');
  const [instance, setInstance] = useState('');
  const [environment, setEnvironment] = useState('');
  const environments = useResource('environments', c => c.environments.list(), { topics: ['environments'] });
  const [phase, setPhase] = useState<Phase>('form');
  const [line, setLine] = useState('');
  const [made, setMade] = useState<Endpoint | null>(null);
  const [failure, setFailure] = useState<StudioError | null>(null);
  const [took, setTook] = useState(0);
  const alive = useRef(true);
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);

  const versions = [...(detail.data?.versions ?? [])].sort((a, b) => Number(b.version) - Number(a.version));
  const selected = chosen || String(versions[0]?.version ?? '');
  const birthplace = versions.find(item => String(item.version) === selected)?.environment;
  const usable = (environments.data ?? []).filter(env => env.is_ready);
  const where = environment || (usable.find(env => env.name === birthplace) ?? usable.find(env => env.is_default))?.name || '';
  const approval = versions.find(item => String(item.version) === selected)?.approval;
  const type = types.data?.find(t => t.name === instance) ?? types.data?.[0];
  const current = phase === 'form' ? endpoints.data?.find(endpoint => endpoint.name === name) : undefined;
  const price = type?.price_per_hour ?? 0;
  const isServed = current !== undefined && String(current.version) === selected;
  const isName = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name);

  const follow = async (started: number): Promise<void> => {
    while (alive.current) {
      const endpoint = await client.endpoints.get(name);
      const newest = [...endpoint.events].sort((a, b) => b.at_ms - a.at_ms)[0];
      setMade(endpoint);
      setLine(newest?.text ?? endpoint.state);
      const serves = endpoint.state === 'InService' || endpoint.state === 'Idle';
      if (serves && String(endpoint.version) === selected) {
        setTook(Date.now() - started);
        setPhase('done');
        return;
      }
      if (serves && endpoint.reason && Date.now() - started > PATIENCE_MS) {
        const hint = trans.__('%1 goes on answering with version %2.', name, endpoint.version ?? '–');
        throw new StudioError(0, 'NOT_PROMOTED', [endpoint.reason, newest?.detail ?? ''].join('\n'), hint);
      }
      if (endpoint.state === 'Failed') {
        throw new StudioError(0, 'FAILED', [endpoint.reason ?? trans.__('The version did not start.'), newest?.detail ?? ''].join('\n'), trans.__('Nothing is served under this name. Mend the model or the environment and try again.'));
      }
      await new Promise(resolve => window.setTimeout(resolve, POLL_MS));
    }
  };
  const start = useAction(async () => {
    setPhase('working');
    setFailure(null);
    setLine(trans.__('Copying model'));
    const started = Date.now();
    try {
      if (current) {
        await client.endpoints.promote(name, selected);
      } else {
        const body: NewEndpoint = { name, model: `models:/${model}/${selected}`, mode, capture: true, environment: where };
        await client.endpoints.create(type ? { ...body, instance_type: type.name } : body);
      }
      await follow(started);
    } catch (caught) {
      setFailure(caught instanceof StudioError ? caught : new StudioError(0, 'BROWSER', String(caught)));
      setPhase('failed');
    }
  });
  const discard = useAction(async (again: boolean) => {
    if (made?.state === 'Failed') {
      await client.endpoints.delete(name);
    }
    setMade(null);
    if (again) {
      setPhase('form');
    } else {
      onClose();
    }
  });
  const openEndpoint = (): void => {
    onClose();
    studio.open('endpoint', name);
  };

  const footer = {
    form: (
      <>
        <Button onClick={onClose} testId={TEST.dialogCancel}>
          {trans.__('Cancel')}
        </Button>
        <Button kind="primary" disabled={!isName || !selected || isServed} title={isServed ? trans.__('This version is what it serves already') : undefined} testId={TEST.deployButton} onClick={() => void start.run()}>
          {current ? trans.__('Promote version %1', selected) : trans.__('Deploy')}
        </Button>
      </>
    ),
    working: (
      <div className="jp-Studio-progressLine" role="status" data-testid={TEST.deployProgress}>
        <i />
        <span>{line}</span>
      </div>
    ),
    done: (
      <>
        <Button onClick={onClose}>{trans.__('Close')}</Button>
        <Button kind="primary" testId={TEST.deployDone} onClick={openEndpoint}>
          {trans.__('Open endpoint')}
        </Button>
      </>
    ),
    failed: (
      <>
        <Button testId={TEST.dialogCancel} disabled={discard.busy} onClick={() => void discard.run(false)}>
          {made?.state === 'Failed' ? trans.__('Remove and close') : trans.__('Close')}
        </Button>
        <Button kind="primary" disabled={discard.busy} onClick={() => void discard.run(true)}>
          {trans.__('Change and try again')}
        </Button>
      </>
    )
  }[phase];

  return (
    <Modal name="deploy" title={trans.__('Deploy %1', model)} width={560} onClose={onClose} footer={footer}>
      {phase === 'done' && made ? (
        <div className="jp-Studio-deployed">
          <StatusPill state={made.state} testId={TEST.state('deployed')} />
          <p>{trans.__('%1 answers with version %2 after %3, tested on its example row.', name, selected, formatDuration(took))}</p>
          <CodeSnippet code={made.snippets.curl || made.url} />
        </div>
      ) : (
        <fieldset className="jp-Studio-form" disabled={phase !== 'form'}>
          <Field
            label={trans.__('Endpoint name')}
            hint={current ? trans.__('%1 exists and serves version %2: its traffic moves to this version without a failed request.', name, current.version ?? '–') : undefined}
            error={name && !isName ? trans.__('Lower-case letters, digits and hyphens, at most 40.') : undefined}
          >
            {id => <TextInput id={id} value={name} onChange={setName} autoFocus testId={TEST.deployName} />}
          </Field>
          <Field label={trans.__('Version')}>
            {id => (
              <Select
                id={id}
                value={selected}
                testId={TEST.deployVersion}
                onChange={setChosen}
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
          {!current && (
            <>
              <div className="jp-Studio-modes" role="radiogroup" aria-label={trans.__('When it runs')}>
                <Mode
                  mode="always"
                  active={mode}
                  onChoose={setMode}
                  title={trans.__('Always on')}
                  price={`${money(price)}/h`}
                  text={trans.__('Answers in some milliseconds, always.')}
                />
                <Mode
                  mode="serverless"
                  active={mode}
                  onChoose={setMode}
                  title={trans.__('Serverless')}
                  price={trans.__('%1 idle', money(0))}
                  text={trans.__('Ends when nobody asks and wakes on the next request: some milliseconds warm, about 1.5 s cold.')}
                />
              </div>
              <Field label={trans.__('Instance type')} hint={type && `${type.cpu} CPU · ${Math.round(type.memory_mb / 100) / 10} GB${type.gpu ? ` · ${type.gpu} GPU` : ''} · ${money(price)}/h ${trans.__('while running')}`}>
                {id => <Select id={id} value={type?.name ?? ''} testId={TEST.deployInstance} onChange={setInstance} options={(types.data ?? []).map(t => t.name)} />}
              </Field>
              {usable.length > 1 && (
                <Field label={trans.__('Environment')} hint={where && where === birthplace ? trans.__('The one that the model was made in.') : undefined}>
                  {id => <Select id={id} value={where} testId={TEST.deployEnvironment} onChange={setEnvironment} options={usable.map(env => env.name)} />}
                </Field>
              )}
              <p className="jp-Studio-hint">{trans.__('Requests and answers are captured in %1 for its monitor.', session?.domain ?? '')}</p>
            </>
          )}
        </fieldset>
      )}
      {phase === 'failed' && failure && <ErrorBox error={failure} title={trans.__('%1 was not deployed', name)} />}
      {discard.error && <ErrorBox error={discard.error} />}
    </Modal>
  );
}

interface IModeProps {
  mode: EndpointMode;
  active: EndpointMode;
  onChoose: (mode: EndpointMode) => void;
  title: string;
  price: string;
  text: string;
}

function Mode({ mode, active, onChoose, title, price, text }: IModeProps): JSX.Element {
  return (
    <label className={`jp-Studio-mode${mode === active ? ' jp-mod-active' : ''}`}>
      <input type="radio" name="mode" checked={mode === active} data-testid={TEST.deployMode(mode)} onChange={() => onChoose(mode)} />
      <span>
        <b>{title}</b>
        <span className="jp-Studio-price">{price}</span>
      </span>
      <small>{text}</small>
    </label>
  );
}
