import type { TranslationBundle } from '@jupyterlab/translation';

/** What a key is narrowed to: patterns of actions and of resources; empty is all that its user may. */
export interface IScope {
  actions: readonly string[];
  resources: readonly string[];
}

export type Purpose = 'all' | 'log' | 'read' | 'invoke' | 'custom';

const ACTIONS: Record<Exclude<Purpose, 'custom'>, readonly string[]> = {
  all: [],
  log: ['tracking.*'],
  read: ['*.read'],
  invoke: ['serving.invoke']
};

export function purposeTexts(trans: TranslationBundle): [Purpose, string, string][] {
  return [
    ['all', trans.__('Everything its user may'), trans.__('For your own programs on a computer you trust.')],
    ['log', trans.__('Log runs'), trans.__('Experiments, runs, metrics, artifacts: what mlflow needs while training.')],
    ['invoke', trans.__('Call endpoints'), trans.__('Predictions only; for the service that uses the model.')],
    ['read', trans.__('Look, change nothing'), trans.__('For reports and dashboards.')],
    ['custom', trans.__('Something else'), trans.__('Patterns of actions, such as registry.* or jobs.write.')]
  ];
}

/** The patterns of a text: separated by commas, spaces or lines; each once. */
export function patternsOf(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter(Boolean))];
}

export function scopeOf(purpose: Purpose, actions: string, resources: string): IScope {
  return { actions: purpose === 'custom' ? patternsOf(actions) : [...ACTIONS[purpose]], resources: patternsOf(resources) };
}

export function purposeOf({ actions }: IScope): Purpose {
  const said = [...actions].sort().join();
  const found = (Object.keys(ACTIONS) as Exclude<Purpose, 'custom'>[]).find(purpose => [...ACTIONS[purpose]].sort().join() === said);
  return found ?? 'custom';
}

/** The scope in a line, for the table of keys. */
export function scopeText(scope: IScope, trans: TranslationBundle): string {
  const purpose = purposeOf(scope);
  const words = purpose === 'custom' ? scope.actions.join(', ') : (purposeTexts(trans).find(([name]) => name === purpose)?.[1] ?? '');
  return scope.resources.length ? trans.__('%1: %2', words, scope.resources.join(', ')) : words;
}

const DAY_MS = 86_400_000;

/** How soon a key ends: `soon` within a week. */
export function expiryOf(expiresMs: number | null | undefined, now: number): 'never' | 'ended' | 'soon' | 'later' {
  if (!expiresMs) {
    return 'never';
  }
  const left = expiresMs - now;
  return left <= 0 ? 'ended' : left < 7 * DAY_MS ? 'soon' : 'later';
}

/** A time that is to come, relative: `in 3 d`. */
export function untilText(at: number, now: number, trans: TranslationBundle): string {
  const hours = (at - now) / 3_600_000;
  return hours < 1 ? trans.__('in %1 min', Math.max(1, Math.round(hours * 60))) : hours < 48 ? trans.__('in %1 h', Math.round(hours)) : trans.__('in %1 d', Math.round(hours / 24));
}
