import { useState } from 'react';

import type { Endpoint } from '../../api/model';
import { useAction, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ErrorBox, Field, Modal, Select, TextInput } from '../../ui';
import { splitOf } from './split';
import { FIRST, IStep, IStrategyForm, problemsOf, shiftWords, stepsOf, strategyOf, timeText } from './strategy';
import { useVersions } from './versions';

/** Moves an endpoint's traffic to another version of its model: at once, or watched and taken back by itself. */
export function PromoteDialog({ endpoint, onClose }: { endpoint: Endpoint; onClose: () => void }): JSX.Element {
  const { trans, client } = useStudio();
  const { model, options, isRead, error } = useVersions(endpoint);
  const others = options.filter(([key]) => key !== String(endpoint.version));
  const [chosen, setChosen] = useState('');
  const [form, setForm] = useState(FIRST);
  const version = chosen || (others[0]?.[0] ?? '');
  const now = Object.keys(splitOf(endpoint.variants)).join(', ') || `v${endpoint.version}`;
  const problems = problemsOf(form, trans);
  const isWrong = Object.keys(problems).length > 0;
  const promote = useAction(async () => {
    await client.endpoints.promote(endpoint.name, version, strategyOf(form));
    onClose();
  });
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!version || isWrong || promote.busy} testId={TEST.dialogAccept} onClick={() => void promote.run()}>
        {promote.busy ? trans.__('Starting the new version…') : trans.__('Promote')}
      </Button>
    </>
  );
  return (
    <Modal name="promote" title={trans.__('Promote another version of %1', endpoint.name)} width={560} onClose={onClose} footer={footer}>
      {others.length > 0 ? (
        <>
          <Field label={trans.__('Version')}>{id => <Select id={id} value={version} testId={TEST.deployVersion} onChange={setChosen} options={others} />}</Field>
          {endpoint.rollout && <p className="jp-Studio-hint">{trans.__('A shift to version %1 is under way: it is taken back first.', endpoint.rollout.version)}</p>}
          <Kinds form={form} onChoose={kind => setForm({ ...form, kind })} />
          <StrategyFields form={form} problems={problems} put={change => setForm({ ...form, ...change })} />
          {!isWrong && (
            <div className={`jp-Studio-shiftPlan${form.kind === 'all_at_once' ? '' : ' jp-mod-stairs'}`} data-testid={TEST.strategyWords}>
              {form.kind !== 'all_at_once' && <Stairs steps={stepsOf(strategyOf(form))} />}
              <ol>
                {shiftWords(strategyOf(form), now, version, trans).map(line => (
                  <li key={line}>{line}</li>
                ))}
              </ol>
            </div>
          )}
        </>
      ) : (
        isRead && <p>{trans.__('%1 has no other version. Register another run under this name first.', model)}</p>
      )}
      {(error ?? promote.error) && <ErrorBox error={error ?? promote.error ?? new Error()} />}
    </Modal>
  );
}

function Kinds({ form, onChoose }: { form: IStrategyForm; onChoose: (kind: IStrategyForm['kind']) => void }): JSX.Element {
  const { trans } = useStudio();
  const kinds: [IStrategyForm['kind'], string, string][] = [
    ['all_at_once', trans.__('At once'), trans.__('All traffic when it has passed its test.')],
    ['canary', trans.__('Canary'), trans.__('A small share first, then the rest.')],
    ['linear', trans.__('Linear'), trans.__('In equal steps.')]
  ];
  return (
    <div className="jp-Studio-modes jp-mod-3" role="radiogroup" aria-label={trans.__('How the traffic moves')}>
      {kinds.map(([kind, title, text]) => (
        <label key={kind} className={`jp-Studio-mode${kind === form.kind ? ' jp-mod-active' : ''}`}>
          <input type="radio" name="strategy" checked={kind === form.kind} data-testid={TEST.strategy(kind)} onChange={() => onChoose(kind)} />
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
  form: IStrategyForm;
  problems: Partial<Record<keyof IStrategyForm, string>>;
  put: (change: Partial<IStrategyForm>) => void;
}

function StrategyFields({ form, problems, put }: IFieldsProps): JSX.Element {
  const { trans } = useStudio();
  const line = (name: 'percent' | 'step' | 'bake' | 'errors' | 'p99', label: string, placeholder = ''): JSX.Element => (
    <Field label={label} error={problems[name]}>
      {id => <TextInput id={id} value={form[name]} placeholder={placeholder} onChange={value => put({ [name]: value })} testId={TEST.strategyField(name)} />}
    </Field>
  );
  const isWatched = strategyOf(form) !== undefined || problems.bake !== undefined;
  return (
    <>
      <div className="jp-Studio-pair jp-mod-3">
        {form.kind !== 'all_at_once' && line('percent', form.kind === 'canary' ? trans.__('First share, %') : trans.__('Each step, %'))}
        {form.kind !== 'all_at_once' && line('step', form.kind === 'canary' ? trans.__('Watched for') : trans.__('Each watched for'))}
        {line('bake', trans.__('Old one stays ready for'), trans.__('no time'))}
      </div>
      {isWatched && (
        <fieldset className="jp-Studio-takeBack">
          <legend>{trans.__('Taken back by itself at')}</legend>
          <div className="jp-Studio-pair jp-mod-3">
            {line('errors', trans.__('Errors above, %'), trans.__('no limit'))}
            {line('p99', trans.__('p99 above, ms'), trans.__('no limit'))}
            <label className="jp-Studio-check jp-mod-low">
              <input type="checkbox" checked={form.drift} data-testid={TEST.strategyField('drift')} onChange={event => put({ drift: event.target.checked })} />
              <span>{trans.__('Alert of its monitor')}</span>
            </label>
          </div>
        </fieldset>
      )}
    </>
  );
}

/** The shares that follow each other, as stairs. */
function Stairs({ steps }: { steps: IStep[] }): JSX.Element {
  const { trans } = useStudio();
  return (
    <div className="jp-Studio-stairs" role="img" aria-label={steps.map(step => `${step.share} %`).join(', ')}>
      {steps.map((step, i) => (
        <div key={step.share} title={i === steps.length - 1 ? `${step.share} %` : trans.__('%1 % for %2', step.share, timeText(step.seconds))}>
          <i style={{ height: `${Math.max(2, (step.share / 100) * 48)}px` }} />
          {steps.length <= 6 && <span>{Number(step.share.toFixed(1))}</span>}
        </div>
      ))}
    </div>
  );
}
