import type { TranslationBundle } from '@jupyterlab/translation';

import type { DomainSettings, DomainSettingsChange } from '../../api/model';

/** The settings as they are typed: text, so that half a number is no error yet; empty is what fits the host. */
export interface ISettingsForm {
  network: string;
  memory: string;
  cpu: string;
  processes: string;
  required: string;
  idle: string;
}

const MIB_PER_GIB = 1024;

export function formOf(settings: DomainSettings): ISettingsForm {
  const text = (value: number | null): string => (value === null ? '' : String(value));
  const { memory_mb: memory, cpu, processes } = settings;
  return {
    network: settings.network_mode,
    memory: memory === null ? '' : String(Math.round((memory / MIB_PER_GIB) * 100) / 100),
    cpu: text(cpu),
    processes: text(processes),
    required: settings.required_isolation,
    idle: String(settings.idle_minutes)
  };
}

function numberOf(text: string): number | null {
  return text.trim() === '' ? null : Number(text.trim().replace(',', '.'));
}

/** Only what differs from what is set. */
export function changesOf(settings: DomainSettings, form: ISettingsForm): DomainSettingsChange {
  const before = formOf(settings);
  const memory = numberOf(form.memory);
  const all: DomainSettingsChange = {
    network_mode: form.network as DomainSettingsChange['network_mode'],
    memory_mb: memory === null ? null : Math.round(memory * MIB_PER_GIB),
    cpu: numberOf(form.cpu),
    processes: numberOf(form.processes),
    required_isolation: form.required as DomainSettingsChange['required_isolation'],
    idle_minutes: numberOf(form.idle)
  };
  const names: [keyof ISettingsForm, keyof DomainSettingsChange][] = [
    ['network', 'network_mode'],
    ['memory', 'memory_mb'],
    ['cpu', 'cpu'],
    ['processes', 'processes'],
    ['required', 'required_isolation'],
    ['idle', 'idle_minutes']
  ];
  return Object.fromEntries(names.filter(([field]) => form[field].trim() !== before[field]).map(([, name]) => [name, all[name]]));
}

/** What is wrong with what is typed, or nothing; what a number may be is the server's to say. */
export function problemOf(form: ISettingsForm, trans: TranslationBundle): string {
  const whole: (keyof ISettingsForm)[] = ['processes', 'idle'];
  for (const field of ['memory', 'cpu', 'processes', 'idle'] as const) {
    const value = numberOf(form[field]);
    if (value !== null && (!Number.isFinite(value) || value < 0 || (whole.includes(field) && !Number.isInteger(value)))) {
      return trans.__('%1 is no number that fits here.', form[field]);
    }
  }
  return form.idle.trim() === '' ? trans.__('How long may a sandbox be idle? 0 means for ever.') : '';
}
