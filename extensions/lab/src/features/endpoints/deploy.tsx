import { useEffect, useRef, useState } from 'react';

import type { Endpoint, NewEndpoint } from '../../api/model';
import { formatDuration } from '../../format';
import { useAction, useResource, useStudio } from '../../hooks';
import { StudioError } from '../../request';
import { TEST } from '../../testids';
import type { IStudio } from '../../tokens';
import { Button, CodeSnippet, ErrorBox, Modal, StatusPill } from '../../ui';
import { DeployFields, IDeployForm, isName, useEnvironment } from './deployform';
import { failureText } from './failure';
import { rangeProblem } from './replicas';

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
  const { trans, client } = studio;
  const endpoints = useResource('endpoints', c => c.endpoints.list(), { topics: ['endpoints'] });
  const detail = useResource(`model/${model}`, c => c.models.get(model), { topics: ['models'] });
  const [typed, setTyped] = useState<IDeployForm>({ name: model, version: version ?? '', mode: 'always', instance: '', environment: '', range: { least: '1', most: '1' }, capture: true });
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
  const form = { ...typed, version: typed.version || String(versions[0]?.version ?? '') };
  const { chosen: environment } = useEnvironment(form, versions);
  const current = phase === 'form' ? endpoints.data?.find(endpoint => endpoint.name === form.name) : undefined;
  const isServed = current !== undefined && current.state !== 'Failed' && String(current.version) === form.version;
  const isReady = isName(form.name) && form.version !== '' && !isServed && (current !== undefined || rangeProblem(form.range, trans) === '');

  const start = useAction(async () => {
    setPhase('working');
    setFailure(null);
    setLine(trans.__('Copying model'));
    const started = Date.now();
    try {
      if (current) {
        await client.endpoints.promote(form.name, form.version);
      } else {
        await client.endpoints.create(bodyOf(model, form, environment));
      }
      const found = await follow(studio, form, started, (endpoint, said) => {
        setMade(endpoint);
        setLine(said);
        return alive.current;
      });
      if (found) {
        setTook(Date.now() - started);
        setPhase('done');
      }
    } catch (caught) {
      setFailure(caught instanceof StudioError ? caught : new StudioError(0, 'BROWSER', String(caught)));
      setPhase('failed');
    }
  });
  const discard = useAction(async (again: boolean) => {
    if (made?.state === 'Failed') {
      await client.endpoints.delete(form.name);
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
    studio.open('endpoint', form.name);
  };

  const footer = {
    form: (
      <>
        <Button onClick={onClose} testId={TEST.dialogCancel}>
          {trans.__('Cancel')}
        </Button>
        <Button kind="primary" disabled={!isReady} title={isServed ? trans.__('This version is what it serves already') : undefined} testId={TEST.deployButton} onClick={() => void start.run()}>
          {current ? trans.__('Promote version %1', form.version) : trans.__('Deploy')}
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
          <p>{trans.__('%1 answers with version %2 after %3, tested on its example row.', form.name, form.version, formatDuration(took))}</p>
          <CodeSnippet code={made.snippets.curl || made.url} />
        </div>
      ) : phase === 'failed' && failure ? (
        <ErrorBox error={failure} title={trans.__('Version %1 was not deployed as %2', form.version, form.name)} />
      ) : (
        <DeployFields form={form} put={change => setTyped({ ...typed, ...change })} versions={versions} current={current} disabled={phase !== 'form'} />
      )}
      {discard.error && <ErrorBox error={discard.error} />}
    </Modal>
  );
}

/** What is left empty is the server's to choose. */
function bodyOf(model: string, form: IDeployForm, environment: string): NewEndpoint {
  return {
    name: form.name,
    model: `models:/${model}/${form.version}`,
    mode: form.mode,
    capture: form.capture,
    environment,
    ...(form.instance && { instance_type: form.instance }),
    min_replicas: Number(form.range.least),
    max_replicas: Number(form.range.most)
  };
}

/** Reads the endpoint until the version answers; throws what it says where it will not. `tell` is false once nobody looks. */
async function follow(studio: IStudio, form: IDeployForm, started: number, tell: (endpoint: Endpoint, line: string) => boolean): Promise<boolean> {
  const { client, trans } = studio;
  for (;;) {
    const endpoint = await client.endpoints.get(form.name);
    const newest = [...endpoint.events].sort((a, b) => b.at_ms - a.at_ms)[0];
    if (!tell(endpoint, newest?.text ?? endpoint.state)) {
      return false;
    }
    const serves = endpoint.state === 'InService' || endpoint.state === 'Idle';
    if (serves && String(endpoint.version) === form.version) {
      return true;
    }
    if (serves && endpoint.reason && Date.now() - started > PATIENCE_MS) {
      const hint = trans.__('%1 goes on answering with version %2.', form.name, endpoint.version);
      throw new StudioError(0, 'NOT_PROMOTED', failureText(endpoint), hint);
    }
    if (endpoint.state === 'Failed') {
      throw new StudioError(0, 'FAILED', failureText(endpoint, trans.__('The version did not start.')), trans.__('Nothing is served under this name. Mend the model or the environment and try again.'));
    }
    await new Promise(resolve => window.setTimeout(resolve, POLL_MS));
  }
}
