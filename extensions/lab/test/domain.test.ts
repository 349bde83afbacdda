import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { TranslationBundle } from '@jupyterlab/translation';

import type { DomainSettings } from '../src/api/model';
import { conditionsOf, whenOf } from '../src/features/domain/when';
import { daysText, IRule, neededOf, ruleText, whoText } from '../src/features/domain/rules';
import { expiryOf, patternsOf, purposeOf, purposeTexts, scopeOf, scopeText, untilText } from '../src/features/domain/scope';
import { SECTIONS, sectionGroups, wantedOf } from '../src/features/domain/sections';
import { changesOf, formOf, problemOf } from '../src/features/domain/settingsform';
import { importCommand, shellWord } from '../src/features/home/importcommand';

/** JupyterLab's own cannot be loaded outside of a bundle; the one without a language does this. */
const trans = {
  __: (text: string, ...values: unknown[]) => text.replace(/%(\d)/g, (_, at: string) => String(values[Number(at) - 1]))
} as unknown as TranslationBundle;
const DAY = 86_400_000;

void describe('the parts of the domain', () => {
  void it('are each in the side bar, once', () => {
    const names = sectionGroups(trans).flatMap(group => group.sections.map(section => section.name));
    assert.deepEqual([...names].sort(), [...SECTIONS].sort());
  });
  void it('are opened by name, with a plus for their dialog', () => {
    assert.deepEqual(wantedOf('keys+'), { section: 'keys', acts: true });
    assert.deepEqual(wantedOf('keys'), { section: 'keys', acts: false });
    assert.deepEqual(['', '+', 'nonsense+', 'toString'].map(wantedOf), Array(4).fill({ section: 'overview', acts: false }));
  });
});

void describe("a key's scope", () => {
  void it('is made of a purpose and known again by its patterns', () => {
    for (const [purpose] of purposeTexts(trans).filter(([name]) => name !== 'custom')) {
      assert.equal(purposeOf(scopeOf(purpose, 'ignored', '')), purpose);
    }
    assert.deepEqual(scopeOf('custom', 'registry.*, jobs.write\njobs.write', 'model/rain '), { actions: ['registry.*', 'jobs.write'], resources: ['model/rain'] });
    assert.equal(purposeOf({ actions: ['jobs.write'], resources: [] }), 'custom');
  });
  void it('is said in a line', () => {
    assert.equal(scopeText({ actions: [], resources: [] }, trans), 'Everything its user may');
    assert.equal(scopeText({ actions: ['serving.invoke'], resources: ['endpoint/rain'] }, trans), 'Call endpoints: endpoint/rain');
    assert.equal(scopeText({ actions: ['a.b', 'c.*'], resources: [] }, trans), 'a.b, c.*');
  });
  void it('takes patterns apart at commas, spaces and lines', () => {
    assert.deepEqual(patternsOf(' a , b\n\tc,,a '), ['a', 'b', 'c']);
    assert.deepEqual(patternsOf(' ,\n'), []);
  });
});

void describe('when a key ends', () => {
  void it('is soon within a week', () => {
    const now = 1_000 * DAY;
    assert.deepEqual([null, now - 1, now + DAY, now + 8 * DAY].map(at => expiryOf(at, now)), ['never', 'ended', 'soon', 'later']);
    assert.deepEqual([0.001, 0.5, 1, 90].map(days => untilText(now + days * DAY, now, trans)), ['in 1 min', 'in 12 h', 'in 24 h', 'in 90 d']);
  });
});

void describe('the command that imports', () => {
  void it('quotes what a shell would read otherwise', () => {
    assert.deepEqual(['./mlruns', "/home/a b/it's", '$(rm -rf /)', ''].map(shellWord), ['./mlruns', `'/home/a b/it'\\''s'`, "'$(rm -rf /)'", "''"]);
  });
  void it('has address, key, trial and import', () => {
    const lines = importCommand({ STUDIO_URL: 'http://127.0.0.1:8600', STUDIO_TOKEN: 'studio_key-1_abc' }, 'demo', './my runs').split('\n');
    assert.deepEqual(lines.slice(0, 2), ['export STUDIO_URL=http://127.0.0.1:8600', 'export STUDIO_TOKEN=studio_key-1_abc']);
    assert.match(lines[2] ?? '', /^studio import mlflow '\.\/my runs' --domain demo --dry-run/);
    assert.equal(lines[3], "studio import mlflow './my runs' --domain demo");
  });
});

const RULE: IRule = { effect: 'deny', who: ['role:editor'], action: 'serving.write', resource: '*', when: {}, why: '' };

void describe('a rule as a sentence', () => {
  void it('says who may not do what', () => {
    assert.equal(ruleText(RULE, trans), 'Editors may not deploy and change endpoints.');
    assert.equal(ruleText({ ...RULE, effect: 'allow', who: ['user:bo', 'user:cy'], action: 'registry.approve', resource: 'model/rain-*' }, trans), 'Bo and cy may approve model versions named rain-*.');
    assert.equal(ruleText({ ...RULE, who: ['*'], action: 'jobs.*' }, trans), 'All members may not do anything with jobs.');
  });
  void it('says when', () => {
    const when = { gpu: { more_than: 0 }, spend: { from: 100 }, time: { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00', timezone: 'UTC', outside: true } };
    assert.equal(ruleText({ ...RULE, when }, trans), 'Editors may not deploy and change endpoints if the instance type has a GPU and this month has cost 100 or more and it is not Mon–Fri from 08:00 to 18:00 UTC.');
  });
  void it('writes an action or condition that it does not know as it is', () => {
    assert.equal(ruleText({ ...RULE, action: 'new.thing', when: { moon: { phase: 'full' } } }, trans), 'Editors may not new.thing if moon {"phase":"full"}.');
  });
  void it('joins people and days', () => {
    assert.equal(whoText(['role:viewer', 'role:editor', 'user:bo'], trans), 'Viewers, editors and bo');
    assert.deepEqual([['sat', 'sun'], ['sun', 'fri', 'sat'], ['mon', 'wed', 'fri']].map(days => daysText(days, trans)), ['Sat, Sun', 'Fri–Sun', 'Mon, Wed, Fri']);
  });
});

const SETTINGS: DomainSettings = {
  network_mode: 'studio',
  memory_mb: null,
  cpu: 1.5,
  processes: 0,
  required_isolation: 'sandbox',
  idle_minutes: 60,
  limits: { memory_mb: 19_000, cpu: 1.5, pids: 0 },
  sandboxes: []
};

void describe("the domain's settings", () => {
  void it('send only what was changed', () => {
    const form = formOf(SETTINGS);
    assert.deepEqual(changesOf(SETTINGS, form), {});
    assert.deepEqual(changesOf(SETTINGS, { ...form, memory: '2,5', cpu: '', network: 'none' }), { network_mode: 'none', memory_mb: 2560, cpu: null });
  });
  void it('know nothing, none and a number apart', () => {
    const form = formOf(SETTINGS);
    assert.deepEqual([form.memory, form.cpu, form.processes], ['', '1.5', '0']);
    assert.equal(problemOf(form, trans), '');
    for (const wrong of [{ memory: 'much' }, { processes: '1.5' }, { cpu: '-1' }, { idle: '' }, { idle: 'Infinity' }]) {
      assert.notEqual(problemOf({ ...form, ...wrong }, trans), '', JSON.stringify(wrong));
    }
  });
});

void describe('conditions', () => {
  void it('come back from the form as they went in', () => {
    const when = {
      instance_type: { not_in: ['std.*', 'gpu.1'] },
      gpu: { more_than: 1 },
      spend: { below: 50.5 },
      network_mode: { in: ['open'] },
      time: { days: ['mon'], from: '22:00', to: '06:00', timezone: 'Europe/Berlin', outside: true }
    };
    assert.deepEqual(whenOf(conditionsOf(when)), when);
  });
});

void describe('a refusal', () => {
  void it('for want of a role names action and role; any other stays as it is', () => {
    assert.deepEqual(neededOf('audit.read needs the role admin in demo; yours is viewer.'), { action: 'audit.read', role: 'admin' });
    for (const other of ['This key is narrowed to tracking.*: audit.read is outside.', 'You are no member of a domain x.', '']) {
      assert.equal(neededOf(other), null);
    }
  });
});
