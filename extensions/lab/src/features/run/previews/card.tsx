import { useState } from 'react';

import type { Cell, ModelCard, Signature, SignatureField } from '../../../api/model';
import { formatBytes } from '../../../format';
import { useStudio } from '../../../hooks';
import { DataTable, IColumn, KeyValue, Link, Section, Tag } from '../../../ui';
import { TableView } from './table';
import { tableOf } from './tables';

/** What a model says about itself: how it is loaded, what goes in and out, what it needs. */
export function CardView({ card }: { card: ModelCard }): JSX.Element {
  const { trans } = useStudio();
  const example = exampleTable(card.example);
  const flavors = card.flavors.filter(flavor => flavor.name !== 'python_function');
  return (
    <div className="jp-Studio-card">
      <div className="jp-Studio-columns2">
        <Section title={trans.__('Model')}>
          <KeyValue
            items={[
              [trans.__('Flavours'), card.flavors.length ? <span className="jp-Studio-inline">{card.flavors.map(flavor => <Tag key={flavor.name}>{flavor.name}</Tag>)}</span> : '–'],
              ...flavors.flatMap(flavor =>
                Object.entries(flavor.details)
                  .filter(([key]) => /version|format|serial|data|class/.test(key))
                  .map(([key, value]): [string, JSX.Element] => [key.replace(/_/g, ' '), <span title={value}>{value}</span>])
              ),
              [trans.__('Python'), card.python || '–'],
              ['MLflow', card.mlflow_version || '–'],
              [trans.__('Logged'), card.created ? `${card.created.slice(0, 16)} UTC` : '–'],
              [trans.__('Size'), trans._n('%2 in %1 file', '%2 in %1 files', card.files, formatBytes(card.bytes))]
            ]}
          />
        </Section>
        <Section title={trans.__('Environment')} aside={<span className="jp-Studio-hint">{trans._n('%1 package', '%1 packages', card.requirements.length)}</span>}>
          <Requirements lines={card.requirements} />
        </Section>
      </div>
      <SignatureTable signature={card.signature} />
      {example && (
        <Section title={trans.__('Input example')}>
          <TableView table={example} name="input-example" fit={6} />
        </Section>
      )}
    </div>
  );
}

const FIRST = 12;

function Requirements({ lines }: { lines: string[] }): JSX.Element {
  const { trans } = useStudio();
  const [all, setAll] = useState(false);
  if (lines.length === 0) {
    return <p className="jp-Studio-hint">{trans.__('No requirements were logged.')}</p>;
  }
  return (
    <>
      <KeyValue
        items={(all ? lines : lines.slice(0, FIRST)).map((line): [string, string] => {
          const [, name, version] = /^([\w.[\],-]+)\s*(.*)$/.exec(line) ?? ['', line, ''];
          return [name ?? line, version || '–'];
        })}
      />
      {lines.length > FIRST && !all && <Link onClick={() => setAll(true)}>{trans.__('%1 more', lines.length - FIRST)}</Link>}
    </>
  );
}

interface IField {
  side: string;
  name: string;
  type: string;
  required: string;
}

/** Inputs, outputs and parameters of a model, one a line. */
export function SignatureTable({ signature }: { signature: Signature | null }): JSX.Element {
  const { trans } = useStudio();
  const title = trans.__('Signature');
  if (!signature) {
    return (
      <Section title={title}>
        <p className="jp-Studio-hint">{trans.__('None was logged. Log the model with input_example=X.head(): the form to try it then fills itself, and bad rows are refused with a reason.')}</p>
      </Section>
    );
  }
  const line = (side: string, field: SignatureField, i: number): IField => ({
    side,
    name: field.name ?? (side === trans.__('output') ? trans.__('(unnamed)') : `${i}`),
    type: typeText(field),
    required: field.required === false ? trans.__('optional') : side === trans.__('input') ? trans.__('required') : ''
  });
  const fields = [
    ...signature.inputs.map((field, i) => line(trans.__('input'), field, i)),
    ...(signature.outputs ?? []).map((field, i) => line(trans.__('output'), field, i)),
    ...(signature.params ?? []).map((field, i) => line(trans.__('parameter'), field, i))
  ];
  const columns: IColumn<IField>[] = [
    { key: 'name', label: trans.__('Name'), width: 160, grow: 2, cell: field => <b title={field.name}>{field.name}</b> },
    { key: 'side', label: trans.__('Goes'), width: 80, cell: field => <span className={field.side === trans.__('output') ? 'jp-Studio-output' : undefined}>{field.side}</span> },
    { key: 'type', label: trans.__('Type'), width: 120, cell: field => <code title={field.type}>{field.type}</code> },
    { key: 'required', label: '', width: 80, cell: field => <span className="jp-Studio-hint">{field.required}</span> }
  ];
  return (
    <Section title={title} aside={<span className="jp-Studio-hint">{trans.__('%1 in, %2 out', signature.inputs.length, signature.outputs?.length ?? 0)}</span>}>
      <DataTable name="signature" label={title} columns={columns} rows={fields} rowKey={field => `${field.side}/${field.name}`} fit={12} />
    </Section>
  );
}

/** A field's type in a few words: `double`, or `tensor float32 (-1, 28, 28)`. */
export function typeText(field: SignatureField): string {
  const tensor = (field as { 'tensor-spec'?: { dtype?: string; shape?: number[] } })['tensor-spec'];
  if (tensor) {
    return `tensor ${tensor.dtype ?? ''} (${(tensor.shape ?? []).join(', ')})`;
  }
  return typeof field.type === 'string' ? field.type : JSON.stringify(field.type ?? 'any');
}

/** An input example in whichever of MLflow's forms, as a table; null where it is none (a tensor, a text). */
function exampleTable(example: unknown): ReturnType<typeof tableOf> {
  const plain = tableOf(example);
  if (plain || typeof example !== 'object' || example === null) {
    return plain;
  }
  for (const key of ['dataframe_split', 'dataframe_records', 'inputs', 'instances']) {
    if (key in example) {
      return exampleTable((example as Record<string, unknown>)[key]);
    }
  }
  const columns = Object.entries(example as Record<string, unknown>);
  if (columns.length && columns.every(([, values]) => Array.isArray(values))) {
    const lists = columns.map(([, values]) => values as Cell[]);
    const rows = (lists[0] ?? []).map((_, i) => lists.map(list => list[i] ?? null));
    return tableOf({ columns: columns.map(([name]) => name), data: rows });
  }
  return tableOf([example]);
}
