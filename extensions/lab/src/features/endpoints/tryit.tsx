import { useState } from 'react';

import type { Cell, Endpoint, Prediction } from '../../api/model';
import { formatNumber } from '../../format';
import { useAction, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, CodeTabs, ErrorBox, Section, Select, TextInput } from '../../ui';
import { IField, exampleRow, fieldsOf, rowOf } from '../models/signature';

interface IAnswer {
  predictions: unknown;
  latency: number;
  inModel: number;
}

/** A form from the signature, filled with the example row; the answer, how long it took, and the request as code. */
export function TryIt({ endpoint }: { endpoint: Endpoint }): JSX.Element {
  const { trans, client } = useStudio();
  const fields = fieldsOf(endpoint.signature);
  const row = exampleRow(endpoint.example);
  const [texts, setTexts] = useState<Record<string, string>>(() => Object.fromEntries((fields ?? []).map(field => [field.name, text(row[field.name])])));
  const [raw, setRaw] = useState(() => JSON.stringify(endpoint.example ?? { inputs: [] }, null, 2));
  const [answer, setAnswer] = useState<IAnswer | null>(null);
  const [wrong, setWrong] = useState<string[]>([]);
  const send = useAction(async () => {
    const body = fields ? formBody(fields, texts, setWrong) : (JSON.parse(raw) as unknown);
    if (body === null) {
      return;
    }
    setAnswer(answerOf(await client.endpoints.invoke(endpoint.name, body)));
  });
  const idle = endpoint.state !== 'InService' && endpoint.state !== 'Idle' && endpoint.state !== 'Updating';
  return (
    <div className="jp-Studio-columns2">
      <Section title={trans.__('One row')} aside={<span className="jp-Studio-hint">{trans.__('filled with the example logged with the model')}</span>}>
        <form
          onSubmit={event => {
            event.preventDefault();
            void send.run();
          }}
        >
          {fields ? (
            <div className="jp-Studio-tryForm">
              {fields.map(field => (
                <TryField key={field.name} field={field} value={texts[field.name] ?? ''} wrong={wrong.includes(field.name)} onChange={value => setTexts({ ...texts, [field.name]: value })} />
              ))}
            </div>
          ) : (
            <textarea className="jp-Studio-input jp-mod-mono" rows={10} value={raw} aria-label={trans.__('Request body')} spellCheck={false} onChange={event => setRaw(event.target.value)} />
          )}
          <div className="jp-Studio-trySend">
            <Button kind="primary" icon="play" submit disabled={send.busy || idle} title={idle ? trans.__('The endpoint is not in service') : undefined} testId={TEST.trySend}>
              {send.busy ? trans.__('Asking…') : trans.__('Predict')}
            </Button>
            <Button kind="quiet" onClick={() => setTexts(Object.fromEntries((fields ?? []).map(field => [field.name, text(row[field.name])])))}>
              {trans.__('Example row')}
            </Button>
          </div>
        </form>
        {wrong.length > 0 && <p className="jp-Studio-invalidText">{trans.__('Not a number: %1', wrong.join(', '))}</p>}
      </Section>
      <div>
        <Section title={trans.__('Answer')}>
          {send.error && <ErrorBox error={send.error} />}
          {!answer && !send.error && <p className="jp-Studio-hint">{trans.__('Predict sends this row and shows what comes back.')}</p>}
          {answer && (
            <div className="jp-Studio-answer">
              <b data-testid={TEST.tryAnswer}>{predictionText(answer.predictions)}</b>
              <span className="jp-Studio-hint" data-testid={TEST.tryLatency} title={trans.__('%1 ms in the model alone', formatNumber(Number(answer.inModel.toPrecision(3))))}>
                {trans.__('in %1 ms', formatNumber(Number(answer.latency.toPrecision(3))))}
              </span>
            </div>
          )}
        </Section>
        <Section
          title={trans.__('The same from a program')}
          aside={
            <a className="jp-Studio-link" href={client.endpoints.openApi(endpoint.name)} target="_blank" rel="noreferrer" title={trans.__('What it takes and answers, as an OpenAPI document')}>
              {trans.__('OpenAPI')}
            </a>
          }
        >
          <CodeTabs
            snippets={[
              ['curl', endpoint.snippets.curl],
              ['Python', endpoint.snippets.python],
              ['JavaScript', endpoint.snippets.javascript],
              ['Open Inference', endpoint.snippets.open_inference],
              ['boto3', endpoint.snippets.boto3]
            ]}
          />
        </Section>
      </div>
    </div>
  );
}

function TryField({ field, value, wrong, onChange }: { field: IField; value: string; wrong: boolean; onChange: (value: string) => void }): JSX.Element {
  const id = `jp-Studio-try-${field.name}`;
  return (
    <div className={`jp-Studio-tryField${wrong ? ' jp-mod-invalid' : ''}`}>
      <label htmlFor={id} title={`${field.name}: ${field.type}`}>
        {field.name}
      </label>
      {field.kind === 'boolean' ? (
        <Select id={id} value={value || 'false'} options={['true', 'false']} onChange={onChange} testId={TEST.tryField(field.name)} />
      ) : (
        <TextInput id={id} value={value} onChange={onChange} placeholder={field.type} testId={TEST.tryField(field.name)} />
      )}
    </div>
  );
}

function text(value: Cell | undefined): string {
  return value === null || value === undefined ? '' : String(value);
}

function formBody(fields: IField[], texts: Record<string, string>, setWrong: (names: string[]) => void): unknown {
  const { row, wrong } = rowOf(fields, texts);
  setWrong(wrong);
  return wrong.length ? null : { dataframe_split: { columns: fields.map(f => f.name), data: [fields.map(f => row[f.name])] } };
}

function answerOf(said: Prediction): IAnswer {
  const answer = said.answer;
  const predictions = typeof answer === 'object' && answer !== null && 'predictions' in answer ? answer.predictions : answer;
  return { predictions, latency: said.latency_ms, inModel: said.predict_ms };
}

/** The first prediction in short form: a number, a label, or probabilities. */
function predictionText(predictions: unknown): string {
  const first = Array.isArray(predictions) ? (predictions as unknown[])[0] : predictions;
  if (Array.isArray(first)) {
    return first.map(scalarText).join(', ');
  }
  if (typeof first === 'object' && first !== null) {
    return Object.entries(first)
      .map(([key, value]) => `${key}: ${scalarText(value)}`)
      .join(', ');
  }
  return scalarText(first);
}

function scalarText(value: unknown): string {
  return typeof value === 'number' ? formatNumber(value) : typeof value === 'string' ? value : JSON.stringify(value);
}
