import type { TranslationBundle } from '@jupyterlab/translation';

/** What a rule of the policy says; the conditions are the server's, each with its own parameters. */
export interface IRule {
  effect: string;
  who: readonly string[];
  action: string;
  resource: string;
  when: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  why: string;
}

export const ANY = '*';

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Areas and verbs of actions in words: `serving.write` → deploy and change endpoints. */
export function actionText(action: string, trans: TranslationBundle): string {
  const known: Record<string, string> = {
    '*': trans.__('do anything'),
    '*.read': trans.__('look at anything'),
    '*.write': trans.__('change anything'),
    'domain.read': trans.__('see the domain'),
    'domain.admin': trans.__('change the domain’s settings'),
    'lab.open': trans.__('open the lab'),
    'data.read': trans.__('see data sets'),
    'data.write': trans.__('register and change data sets'),
    'tracking.read': trans.__('see experiments and runs'),
    'tracking.write': trans.__('log and change runs'),
    'registry.read': trans.__('see models'),
    'registry.write': trans.__('register and change models'),
    'registry.approve': trans.__('approve model versions'),
    'jobs.read': trans.__('see jobs'),
    'jobs.write': trans.__('start and stop jobs'),
    'serving.read': trans.__('see endpoints'),
    'serving.write': trans.__('deploy and change endpoints'),
    'serving.invoke': trans.__('call endpoints'),
    'monitoring.read': trans.__('see monitors'),
    'monitoring.write': trans.__('change monitors'),
    'cost.read': trans.__('see what it costs'),
    'running.stop': trans.__('stop what runs'),
    'environments.read': trans.__('see environments'),
    'environments.write': trans.__('make and change environments'),
    'volumes.read': trans.__('see the volume and snapshots'),
    'volumes.write': trans.__('take and restore snapshots'),
    'volumes.admin': trans.__('replace the shared folder'),
    'volumes.quota': trans.__('set the quota'),
    'spaces.read': trans.__('see spaces'),
    'spaces.write': trans.__('make and change spaces'),
    'spaces.admin': trans.__('change spaces of others'),
    'members.write': trans.__('change members'),
    'keys.own': trans.__('make access keys'),
    'keys.write': trans.__('make access keys for others'),
    'policy.read': trans.__('see the policy'),
    'policy.write': trans.__('change the policy'),
    'audit.read': trans.__('read the audit log'),
    'webhooks.admin': trans.__('change webhooks')
  };
  const area = action.endsWith('.*') ? action.slice(0, -2) : '';
  return known[action] ?? (area ? trans.__('do anything with %1', areaText(area, trans)) : action);
}

/** The action and role in the server's refusal for want of a role; null in any other. */
export function neededOf(message: string): { action: string; role: string } | null {
  const [, action = '', role = ''] = /^([a-z-]+\.[a-z-]+) needs the role (\w+) in /.exec(message) ?? [];
  return action ? { action, role } : null;
}

/** The first part of an action as the thing it is about. */
export function areaText(area: string, trans: TranslationBundle): string {
  const areas: Record<string, string> = {
    domain: trans.__('the domain itself'),
    lab: trans.__('the lab'),
    data: trans.__('data sets'),
    tracking: trans.__('experiments and runs'),
    registry: trans.__('models'),
    jobs: trans.__('jobs'),
    serving: trans.__('endpoints'),
    monitoring: trans.__('monitors'),
    running: trans.__('what runs'),
    cost: trans.__('cost'),
    environments: trans.__('environments'),
    members: trans.__('members'),
    keys: trans.__('access keys'),
    policy: trans.__('the policy'),
    audit: trans.__('the audit log'),
    spaces: trans.__('spaces'),
    volumes: trans.__('the volume'),
    webhooks: trans.__('webhooks')
  };
  return areas[area] ?? area;
}

/** `["role:editor", "user:bo"]` → Editors and bo. */
export function whoText(who: readonly string[], trans: TranslationBundle): string {
  const roles: Record<string, string> = { viewer: trans.__('viewers'), editor: trans.__('editors'), admin: trans.__('admins') };
  const names = who.map(item => {
    const [kind, name = ''] = item.split(':', 2);
    return item === ANY ? trans.__('all members') : kind === 'role' ? (roles[name] ?? trans.__('the role %1', name)) : name;
  });
  const text = names.length > 1 ? trans.__('%1 and %2', names.slice(0, -1).join(', '), names[names.length - 1] ?? '') : (names[0] ?? '');
  return capital(text);
}

/** With a capital at its beginning, as a heading has. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What must hold, joined; empty where a rule always applies. */
export function whenText(when: IRule['when'], trans: TranslationBundle): string {
  return Object.entries(when)
    .map(([name, params]) => conditionText(name, params, trans))
    .join(trans.__(' and '));
}

/** A parameter as text, whatever a server that is newer made of it. */
function said(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

type Params = Readonly<Record<string, unknown>>;

function conditionText(name: string, params: Params, trans: TranslationBundle): string {
  switch (name) {
    case 'instance_type':
      return params['in'] ? trans.__('the instance type is %1', either(params['in'], trans)) : trans.__('the instance type is not %1', either(params['not_in'], trans));
    case 'network_mode':
      return params['in'] ? trans.__('the network is %1', either(params['in'], trans)) : trans.__('the network is not %1', either(params['not_in'], trans));
    case 'gpu':
      return params['more_than'] === 0 ? trans.__('the instance type has a GPU') : trans.__('the instance type has more than %1 GPUs', said(params['more_than']));
    case 'spend':
      return params['below'] !== undefined ? trans.__('this month has cost less than %1', said(params['below'])) : trans.__('this month has cost %1 or more', said(params['from']));
    case 'time':
      return timeText(params, trans);
    default:
      return `${name} ${JSON.stringify(params)}`;
  }
}

function either(names: unknown, trans: TranslationBundle): string {
  return (Array.isArray(names) ? names.map(said) : [said(names)]).join(trans.__(' or '));
}

function timeText(params: Params, trans: TranslationBundle): string {
  const days = (Array.isArray(params['days']) ? params['days'] : DAYS).map(said);
  const isWhole = (params['from'] ?? '00:00') === '00:00' && (params['to'] ?? '24:00') === '24:00';
  const hours = isWhole ? '' : trans.__(' from %1 to %2', said(params['from'] ?? '00:00'), said(params['to'] ?? '24:00'));
  const zone = isWhole ? '' : ` ${said(params['timezone'] ?? 'UTC')}`;
  const on = days.length === DAYS.length ? trans.__('any day') : daysText(days, trans);
  return params['outside'] ? trans.__('it is not %1', on + hours + zone) : trans.__('it is %1', on + hours + zone);
}

/** Three days or more in a row as a span: Mon–Fri. */
export function daysText(days: readonly string[], trans: TranslationBundle): string {
  const names: Record<string, string> = { mon: trans.__('Mon'), tue: trans.__('Tue'), wed: trans.__('Wed'), thu: trans.__('Thu'), fri: trans.__('Fri'), sat: trans.__('Sat'), sun: trans.__('Sun') };
  const at = days.map(day => DAYS.indexOf(day as (typeof DAYS)[number])).sort((a, b) => a - b);
  const first = at[0] ?? 0;
  const last = at[at.length - 1] ?? 0;
  const name = (index: number): string => names[DAYS[index] ?? ''] ?? '';
  return at.length > 2 && last - first === at.length - 1 ? `${name(first)}–${name(last)}` : at.map(name).join(', ');
}

/** A rule as one sentence: Editors may not deploy and change endpoints named prod-* if the instance type has a GPU. */
export function ruleText(rule: IRule, trans: TranslationBundle): string {
  const who = whoText(rule.who, trans);
  const what = actionText(rule.action, trans);
  const verb = rule.effect === 'deny' ? trans.__('%1 may not %2', who, what) : trans.__('%1 may %2', who, what);
  const where = rule.resource === ANY ? '' : trans.__(' named %1', rule.resource.slice(rule.resource.indexOf('/') + 1));
  const when = whenText(rule.when, trans);
  return `${verb}${where}${when && trans.__(' if %1', when)}.`;
}
