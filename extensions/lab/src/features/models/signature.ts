import type { Cell, Signature, SignatureField } from '../../api/model';

export type FieldKind = 'number' | 'integer' | 'text' | 'boolean' | 'time';

export interface IField {
  name: string;
  type: string;
  kind: FieldKind;
  required: boolean;
}

/** Named input columns of a signature; null where the model takes something else (a tensor, free text). */
export function fieldsOf(signature: Signature | null): IField[] | null {
  const inputs = signature?.inputs;
  if (!inputs || inputs.length === 0 || inputs.some(field => !field.name || typeof field.type !== 'string')) {
    return null;
  }
  return inputs.map(field => ({
    name: field.name ?? '',
    type: typeText(field),
    kind: kindOf(typeText(field)),
    required: field.required !== false
  }));
}

/** The signature's outputs in a few words. */
export function outputOf(signature: Signature | null): string {
  return (signature?.outputs ?? []).map(field => (field.name ? `${field.name}: ${typeText(field)}` : typeText(field))).join(', ');
}

function typeText(field: SignatureField): string {
  return typeof field.type === 'string' ? field.type : 'tensor';
}

function kindOf(type: string): FieldKind {
  if (/^(double|float)/.test(type)) {
    return 'number';
  }
  if (/^(integer|long|int)/.test(type)) {
    return 'integer';
  }
  return type === 'boolean' ? 'boolean' : type === 'datetime' ? 'time' : 'text';
}

type Row = Record<string, Cell>;

/** The example's first row by column, whichever of MLflow's input forms it was logged in. */
export function exampleRow(example: unknown): Row {
  if (Array.isArray(example)) {
    return isRow(example[0]) ? example[0] : {};
  }
  if (!isRow(example)) {
    return {};
  }
  const form = example as Record<string, unknown>;
  const split = (form['dataframe_split'] ?? form) as { columns?: unknown; data?: unknown; rows?: unknown };
  const rows = split.data ?? split.rows;
  if (Array.isArray(split.columns) && Array.isArray(rows)) {
    const cells = (rows[0] ?? []) as Cell[];
    return Object.fromEntries(split.columns.map((column, i) => [String(column), cells[i] ?? null]));
  }
  for (const key of ['dataframe_records', 'inputs', 'instances']) {
    if (key in form) {
      return exampleRow(form[key]);
    }
  }
  return Object.fromEntries(Object.entries(form).map(([key, value]) => [key, (Array.isArray(value) ? value[0] : value) as Cell]));
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the form holds as the row to send; null and the reason where a text is no number. */
export function rowOf(fields: readonly IField[], texts: Readonly<Record<string, string>>): { row: Row; wrong: string[] } {
  const row: Row = {};
  const wrong: string[] = [];
  for (const { name, kind, required } of fields) {
    const text = (texts[name] ?? '').trim();
    if (text === '') {
      if (required && kind !== 'text') {
        wrong.push(name);
      }
      row[name] = kind === 'text' ? '' : null;
    } else if (kind === 'number' || kind === 'integer') {
      const value = Number(text);
      if (!Number.isFinite(value) || (kind === 'integer' && !Number.isInteger(value))) {
        wrong.push(name);
      }
      row[name] = value;
    } else {
      row[name] = kind === 'boolean' ? text === 'true' : text;
    }
  }
  return { row, wrong };
}
