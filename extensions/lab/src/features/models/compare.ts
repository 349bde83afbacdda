import type { ModelCard, ModelFile, RunDetail, Signature } from '../../api/model';
import { formatBytes, formatMetric } from '../../format';
import { typeText } from '../run/previews/card';

/** One line of a comparison; an empty text: it is not there on that side. */
export interface IDifference {
  key: string;
  a: string;
  b: string;
  changed: boolean;
  /** The change of a number, from a to b. */
  delta?: number;
}

type Texts = ReadonlyMap<string, string>;

/** All keys of both sides; what differs comes first, each part in the order of names. */
export function differences(a: Texts, b: Texts): IDifference[] {
  const keys = [...new Set([...a.keys(), ...b.keys()])].sort((x, y) => x.localeCompare(y, undefined, { numeric: true }));
  const lines = keys.map(key => ({ key, a: a.get(key) ?? '', b: b.get(key) ?? '', changed: a.get(key) !== b.get(key) }));
  return [...lines.filter(line => line.changed), ...lines.filter(line => !line.changed)];
}

export function paramsOf(run: RunDetail | null): Texts {
  return new Map(Object.entries(run?.params ?? {}));
}

/** Last values, with the change where both sides have one. */
export function metricDifferences(a: RunDetail | null, b: RunDetail | null): IDifference[] {
  const last = (run: RunDetail | null): Map<string, number | null> => new Map(Object.entries(run?.metrics ?? {}).map(([key, metric]) => [key, metric.last]));
  const [from, to] = [last(a), last(b)];
  const texts = (values: ReadonlyMap<string, number | null>): Texts => new Map([...values].map(([key, value]) => [key, formatMetric(value)]));
  return differences(texts(from), texts(to)).map(line => {
    const [x, y] = [from.get(line.key), to.get(line.key)];
    return typeof x === 'number' && typeof y === 'number' && x !== y ? { ...line, changed: true, delta: y - x } : line;
  });
}

/** The fields of a signature as texts: `input wind` → `double`. */
export function fieldsOfSides(signature: Signature | null): Texts {
  const side = (name: string, fields: Signature['inputs'] | undefined): [string, string][] =>
    (fields ?? []).map((field, i) => [`${name} ${field.name ?? i}`, typeText(field) + (field.required === false ? '?' : '')]);
  return new Map([...side('input', signature?.inputs), ...side('output', signature?.outputs), ...side('parameter', signature?.params)]);
}

/** Packages by name: `scikit-learn` → `==1.7.0`. */
export function packagesOf(card: ModelCard | null): Texts {
  return new Map((card?.requirements ?? []).map((line): [string, string] => {
    const [, name, version] = /^([\w.[\],-]+)\s*(.*)$/.exec(line) ?? ['', line, ''];
    return [(name ?? line).toLowerCase(), version || 'any'];
  }));
}

/** Files by path, with their size: what two versions' models are made of. */
export function filesOf(files: readonly ModelFile[] | null): Texts {
  return new Map((files ?? []).map(file => [file.path, formatBytes(file.file_size)]));
}
