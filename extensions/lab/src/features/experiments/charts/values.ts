/** What of a run can lie on an axis or give a colour: metrics, parameters, and what is known of every run. */
import type { Run } from '../../../api/model';

export type Value = number | string | null;

/** `metrics.auc`, `params.depth`, `run.duration` as [kind, name]. */
export function splitKey(key: string): [string, string] {
  const dot = key.indexOf('.');
  return [key.slice(0, dot), key.slice(dot + 1)];
}

/** The value of a run under `metrics.…` (the last one), `params.…` or `run.…`; null if it has none. */
export function valueOf(run: Run, key: string): Value {
  const [kind, name] = splitKey(key);
  if (kind === 'metrics') {
    return run.metrics[name]?.last ?? null;
  }
  if (kind === 'params') {
    return typedOf(run.params[name]);
  }
  if (name === 'duration') {
    return run.end_ms === null ? null : (run.end_ms - run.start_ms) / 1000;
  }
  return name === 'start' ? run.start_ms : run.name;
}

/** Parameters are text; one that reads as a number is a number. */
export function typedOf(text: string | undefined): Value {
  if (text === undefined) {
    return null;
  }
  const number = Number(text);
  return text.trim() !== '' && Number.isFinite(number) ? number : text;
}

/** A dimension over runs: its values, and the categories if any of them is no number. */
export interface IDimension {
  key: string;
  label: string;
  values: Value[];
  /** Sorted; null where all values are numbers. */
  categories: string[] | null;
  /** Above zero and spread wide (parameters are tried in ratios sooner than in steps): its exponents are what differs. */
  isLog: boolean;
  least: number;
  most: number;
}

export function dimensionOf(runs: readonly Run[], key: string): IDimension {
  const values = runs.map(run => valueOf(run, key));
  const there = values.filter(value => value !== null);
  const numbers = there.filter(value => typeof value === 'number');
  const isText = numbers.length < there.length;
  const categories = isText ? [...new Set(there.map(String))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true })) : null;
  const least = Math.min(...numbers);
  const most = Math.max(...numbers);
  return {
    key,
    label: splitKey(key)[1],
    values,
    categories,
    isLog: !categories && least > 0 && most / least >= (key.startsWith('params.') ? 20 : 1000),
    least: categories ? 0 : numbers.length ? least : 0,
    most: categories ? categories.length - 1 : numbers.length ? most : 1
  };
}

/** Where a value lies on the axis, 0 (foot) to 1 (head); null if the run has none. A single value lies in the middle. */
export function shareOf(dimension: IDimension, value: Value): number | null {
  const { categories } = dimension;
  const at = value === null ? NaN : categories ? categories.indexOf(String(value)) : Number(value);
  return !Number.isFinite(at) || (categories && at < 0) ? null : shareOfNumber(dimension, at);
}

/** The same for a number on the axis; on an axis of categories an index. */
export function shareOfNumber({ isLog, least, most }: IDimension, at: number): number {
  if (most === least) {
    return 0.5;
  }
  return isLog ? Math.log(at / least) / Math.log(most / least) : (at - least) / (most - least);
}

/** The number at a share of the axis; on an axis of categories the index, not rounded. */
export function numberAt({ isLog, least, most }: IDimension, share: number): number {
  return isLog ? least * (most / least) ** share : least + (most - least) * share;
}

/** Parameters in which runs differ, then metrics: what a chart of several dimensions starts with. */
export function differingKeys(runs: readonly Run[], metrics: readonly string[], params: readonly string[]): string[] {
  const differs = (key: string): boolean => new Set(runs.map(run => valueOf(run, key)).filter(value => value !== null)).size > 1;
  return [...params.map(key => `params.${key}`), ...metrics.map(key => `metrics.${key}`)].filter(differs);
}
