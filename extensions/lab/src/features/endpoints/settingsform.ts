import type { TranslationBundle } from '@jupyterlab/translation';

import type { EndpointChange, EndpointMode, EndpointSettings } from '../../api/model';
import { secondsOf, timeText } from './strategy';

/** An endpoint's settings as they are typed: text, so that half a number is no error yet. */
export interface IEndpointForm {
  mode: EndpointMode;
  idle: string;
  timeout: string;
  body: string;
  rate: string;
  cors: string;
  load: string;
  fastPath: boolean;
  capture: boolean;
  percent: string;
  days: string;
  redact: readonly string[];
}

const MIB = 2 ** 20;

export function formOf(mode: EndpointMode, settings: EndpointSettings): IEndpointForm {
  return {
    mode,
    idle: timeText(settings.idle_s),
    timeout: timeText(settings.timeout_s),
    body: String(Math.round((settings.max_body / MIB) * 1000) / 1000),
    rate: settings.rate_limit === null ? '' : String(settings.rate_limit),
    cors: settings.cors.join('\n'),
    load: String(settings.target_load),
    fastPath: settings.fast_path,
    capture: settings.capture,
    percent: String(settings.capture_percent),
    days: String(settings.capture_days),
    redact: settings.redact
  };
}

function numberOf(text: string): number {
  return text.trim() === '' ? NaN : Number(text.trim().replace(',', '.'));
}

/** Lines or commas; each once. */
export function originsOf(text: string): string[] {
  return [...new Set(text.split(/[\s,]+/).filter(Boolean))];
}

/** Only what differs from what is set. */
export function changesOf(before: IEndpointForm, form: IEndpointForm): EndpointChange {
  const all: { field: keyof IEndpointForm; change: EndpointChange }[] = [
    { field: 'mode', change: { mode: form.mode } },
    { field: 'idle', change: { idle_s: secondsOf(form.idle) } },
    { field: 'timeout', change: { timeout_s: secondsOf(form.timeout) } },
    { field: 'body', change: { max_body: Math.round(numberOf(form.body) * MIB) } },
    { field: 'rate', change: { rate_limit: form.rate.trim() === '' ? 0 : numberOf(form.rate) } },
    { field: 'cors', change: { cors: originsOf(form.cors) } },
    { field: 'load', change: { target_load: numberOf(form.load) } },
    { field: 'fastPath', change: { fast_path: form.fastPath } },
    { field: 'capture', change: { capture: form.capture } },
    { field: 'percent', change: { capture_percent: numberOf(form.percent) } },
    { field: 'days', change: { capture_days: numberOf(form.days) } },
    { field: 'redact', change: { redact: [...form.redact] } }
  ];
  const text = (value: IEndpointForm[keyof IEndpointForm]): string => (Array.isArray(value) ? [...(value as string[])].sort().join('\n') : String(value).trim());
  return Object.assign({}, ...all.filter(({ field }) => text(form[field]) !== text(before[field])).map(({ change }) => change)) as EndpointChange;
}

/** What is wrong with what is typed, by field; how large a number may be is the server's to say. */
export function problemsOf(form: IEndpointForm, trans: TranslationBundle): Partial<Record<keyof IEndpointForm, string>> {
  const problems: Partial<Record<keyof IEndpointForm, string>> = {};
  for (const field of ['idle', 'timeout'] as const) {
    if (!secondsOf(form[field])) {
      problems[field] = trans.__('A time like 30 s, 5 min or 1 h.');
    }
  }
  for (const field of ['body', 'load'] as const) {
    if (!(numberOf(form[field]) > 0)) {
      problems[field] = trans.__('A number above 0.');
    }
  }
  if (form.rate.trim() && !(numberOf(form.rate) >= 0)) {
    problems.rate = trans.__('Requests per second; empty for no limit.');
  }
  if (!(numberOf(form.percent) >= 0 && numberOf(form.percent) <= 100)) {
    problems.percent = trans.__('0 to 100.');
  }
  if (!Number.isInteger(numberOf(form.days)) || numberOf(form.days) < 1) {
    problems.days = trans.__('A whole number of days.');
  }
  const origin = originsOf(form.cors).find(item => !/^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/.test(item));
  if (origin) {
    problems.cors = trans.__('%1 is no origin: write https://app.example.org, without a path.', origin);
  }
  return problems;
}
