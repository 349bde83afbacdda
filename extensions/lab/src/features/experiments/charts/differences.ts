/** Runs side by side: what they have in common and where they differ. */
import type { Run } from '../../../api/model';
import { betterOf } from './direction';

export type Section = 'about' | 'params' | 'metrics' | 'tags';

export interface IRow {
  section: Section;
  key: string;
  /** One for each run; null where it has none. Metrics are numbers, all else is text. */
  values: (string | number | null)[];
  differs: boolean;
  /** Indices of the best values of a metric in which runs differ, if it is known which way is better. */
  best: number[];
}

/** Tags that MLflow and Studio write for themselves say nothing about a run that a person would compare. */
const OWN = /^(mlflow\.(runName|user|log-model|source\.|parentRunId)|studio\.)/;

export function rowsOf(runs: readonly Run[], about: Record<string, (run: Run) => string>): IRow[] {
  const keys = (kind: 'params' | 'tags' | 'metrics'): string[] => [...new Set(runs.flatMap(run => Object.keys(run[kind])))].sort((a, b) => a.localeCompare(b));
  return [
    ...Object.entries(about).map(([key, text]) => rowOf('about', key, runs.map(text))),
    ...keys('params').map(key => rowOf('params', key, runs.map(run => run.params[key] ?? null))),
    ...keys('metrics').map(key => rowOf('metrics', key, runs.map(run => run.metrics[key]?.last ?? null))),
    ...keys('tags')
      .filter(key => !OWN.test(key))
      .map(key => rowOf('tags', key, runs.map(run => run.tags[key] ?? null)))
  ];
}

function rowOf(section: Section, key: string, values: IRow['values']): IRow {
  const differs = new Set(values).size > 1;
  return { section, key, values, differs, best: section === 'metrics' && differs ? bestOf(key, values) : [] };
}

function bestOf(metric: string, values: IRow['values']): number[] {
  const better = betterOf(metric);
  const numbers = values.filter(value => typeof value === 'number');
  const best = better === 'less' ? Math.min(...numbers) : Math.max(...numbers);
  return better === null ? [] : values.flatMap((value, i) => (value === best ? [i] : []));
}
