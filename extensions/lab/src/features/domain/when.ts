import { DAYS, IRule } from './rules';
import { patternsOf } from './scope';

export type When = IRule['when'];

/** A condition as it is typed: everything text, so that half a number is no error yet. */
export interface ICondition {
  name: string;
  mode: string;
  text: string;
  days: string[];
  from: string;
  to: string;
  timezone: string;
}

export function newCondition(name: string): ICondition {
  const mode = { spend: 'from', gpu: 'more_than', time: 'inside' }[name] ?? 'in';
  const text = { gpu: '0', spend: '100', network_mode: 'open' }[name] ?? '';
  return { name, mode, text, days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00', timezone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC' };
}

/** From the server's form, for editing. */
export function conditionsOf(when: When): ICondition[] {
  return Object.entries(when).map(([name, params]) => {
    const made = newCondition(name);
    if (name === 'time') {
      const { days, from, to, timezone, outside } = params;
      return { ...made, mode: outside ? 'outside' : 'inside', days: Array.isArray(days) ? days.map(String) : [...DAYS], from: String(from), to: String(to), timezone: String(timezone) };
    }
    const [mode = made.mode, value = ''] = Object.entries(params)[0] ?? [];
    return { ...made, mode, text: Array.isArray(value) ? value.join(', ') : String(value) };
  });
}

/** In the server's form; the last of two of one name counts. */
export function whenOf(conditions: readonly ICondition[]): When {
  return Object.fromEntries<Record<string, unknown>>(
    conditions.map(({ name, mode, text, days, from, to, timezone }) => {
      if (name === 'time') {
        return [name, { days, from, to, timezone, outside: mode === 'outside' }];
      }
      return [name, { [mode]: mode === 'in' || mode === 'not_in' ? patternsOf(text) : Number(text) }];
    })
  );
}
