import type { TranslationBundle } from '@jupyterlab/translation';

import type { Strategy } from '../../api/model';

/** How traffic goes over, as it is typed. */
export interface IStrategyForm {
  kind: Strategy['kind'];
  percent: string;
  step: string;
  bake: string;
  errors: string;
  p99: string;
  drift: boolean;
}

/** A share of the traffic and for how long it is watched, in seconds. */
export interface IStep {
  share: number;
  seconds: number;
}

export const FIRST: IStrategyForm = { kind: 'all_at_once', percent: '10', step: '1 min', bake: '', errors: '5', p99: '', drift: true };

const SECONDS: Record<string, number> = { '': 1, s: 1, sec: 1, min: 60, m: 60, h: 3600, d: 86_400 };
const LONGEST_S = 604_800;

/** Seconds of `90`, `90 s`, `5 min`, `1 h`, `2 d`; empty is none; null if it is no time. */
export function secondsOf(text: string): number | null {
  const found = /^(\d+(?:[.,]\d+)?)\s*([a-z]*)$/.exec(text.trim().toLowerCase());
  if (!found) {
    return text.trim() === '' ? 0 : null;
  }
  const unit = SECONDS[found[2] ?? ''];
  const seconds = unit === undefined ? NaN : Number((found[1] ?? '').replace(',', '.')) * unit;
  return Number.isFinite(seconds) && seconds <= LONGEST_S ? seconds : null;
}

export function timeText(seconds: number): string {
  for (const [unit, size] of [['d', 86_400], ['h', 3600], ['min', 60]] as const) {
    if (seconds >= size && seconds % size === 0) {
      return `${seconds / size} ${unit}`;
    }
  }
  return `${Number(seconds.toPrecision(4))} s`;
}

function numberOf(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'));
  return text.trim() === '' || !Number.isFinite(value) ? null : value;
}

/** What is wrong with what is typed, by field; empty if nothing is. */
export function problemsOf(form: IStrategyForm, trans: TranslationBundle): Partial<Record<keyof IStrategyForm, string>> {
  const problems: Partial<Record<keyof IStrategyForm, string>> = {};
  const time = trans.__('A time like 30 s, 5 min or 1 h, at most 7 d.');
  const percent = numberOf(form.percent);
  if (form.kind !== 'all_at_once' && (percent === null || percent <= 0 || percent >= 100)) {
    problems.percent = trans.__('More than 0, less than 100.');
  }
  if (form.kind !== 'all_at_once' && secondsOf(form.step) === null) {
    problems.step = time;
  }
  if (secondsOf(form.bake) === null) {
    problems.bake = time;
  }
  const errors = numberOf(form.errors);
  if (form.errors.trim() && (errors === null || errors <= 0 || errors > 100)) {
    problems.errors = trans.__('More than 0, at most 100; empty for no limit.');
  }
  const p99 = numberOf(form.p99);
  if (form.p99.trim() && (p99 === null || p99 <= 0)) {
    problems.p99 = trans.__('Milliseconds; empty for no limit.');
  }
  return problems;
}

/** What is sent; none where all moves at once and nothing is watched. */
export function strategyOf(form: IStrategyForm): Strategy | undefined {
  const bake = secondsOf(form.bake) ?? 0;
  if (form.kind === 'all_at_once' && bake === 0) {
    return undefined;
  }
  return {
    kind: form.kind,
    percent: numberOf(form.percent) ?? 10,
    step_s: secondsOf(form.step) ?? 60,
    bake_s: bake,
    max_error_percent: numberOf(form.errors),
    max_p99_ms: numberOf(form.p99),
    on_drift: form.drift
  };
}

/** The shares that follow each other, the last one all of the traffic. */
export function stepsOf(strategy: Strategy | undefined): IStep[] {
  const last = { share: 100, seconds: strategy?.bake_s ?? 0 };
  if (!strategy || strategy.kind === 'all_at_once') {
    return [last];
  }
  const steps: IStep[] = [];
  for (let share = strategy.percent; share < 100 - 1e-9; share += strategy.percent) {
    steps.push({ share: Number(share.toFixed(3)), seconds: strategy.step_s });
    if (strategy.kind === 'canary') {
      break;
    }
  }
  return [...steps, last];
}

/** The shift in sentences: what callers get, and for how long; `now`: the variants that answer before it. */
export function shiftWords(strategy: Strategy | undefined, now: string, next: string, trans: TranslationBundle): string[] {
  const steps = stepsOf(strategy);
  const lines = [trans.__('Version %1 is started and tested on its example row; nobody is answered by it before.', next)];
  if (!strategy || strategy.kind === 'all_at_once') {
    lines.push(trans.__('Then all of the traffic moves to it, without a failed request.'));
  } else if (strategy.kind === 'canary') {
    lines.push(trans.__('Then %1 % of the requests go to it for %2, after that all of them.', strategy.percent, timeText(strategy.step_s)));
  } else {
    const whole = (steps.length - 1) * strategy.step_s;
    lines.push(trans.__('Then its share grows by %1 % every %2: %3 steps, all of the traffic after %4.', strategy.percent, timeText(strategy.step_s), steps.length, timeText(whole)));
  }
  lines.push(strategy?.bake_s ? trans.__('What answers now (%1) stays ready for another %2; then it ends.', now, timeText(strategy.bake_s)) : trans.__('What answers now (%1) finishes what it has begun and ends.', now));
  if (!strategy) {
    return lines;
  }
  const limits = limitsOf(strategy, trans);
  return [...lines, limits.length ? trans.__('It is taken back by itself at %1.', limits.join(trans.__(', or at '))) : trans.__('Nothing takes it back by itself: no limit is set.')];
}

/** At what a shift is taken back, in words. */
export function limitsOf(strategy: Strategy, trans: TranslationBundle): string[] {
  return [
    ...(strategy.max_error_percent ? [trans.__('more than %1 % errors', strategy.max_error_percent)] : []),
    ...(strategy.max_p99_ms ? [trans.__('a p99 above %1 ms', strategy.max_p99_ms)] : []),
    ...(strategy.on_drift ? [trans.__('an alert of its monitor')] : [])
  ];
}
