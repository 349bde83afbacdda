import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { TranslationBundle } from '@jupyterlab/translation';

import type { EndpointSettings, Variant } from '../src/api/model';
import { changesOf, formOf, originsOf, problemsOf as settingsProblems } from '../src/features/endpoints/settingsform';
import { isSame, moved, splitOf, weightFor } from '../src/features/endpoints/split';
import { wakesIn } from '../src/features/endpoints/wakes';
import { FIRST, problemsOf, secondsOf, shiftWords, stepsOf, strategyOf, timeText } from '../src/features/endpoints/strategy';

const trans = { __: (text: string, ...parts: unknown[]) => text.replace(/%(\d)/g, (_, i: string) => String(parts[Number(i) - 1])) } as unknown as TranslationBundle;

function variant(name: string, weight: number, more: Partial<Variant> = {}): Variant {
  const plain = { version: 1, share: 0, shadow: false, state: 'Serving', environment: '', instance_type: '', reason: '', min_replicas: 1, max_replicas: 1, wanted: 1 };
  return { ...plain, requests: 0, errors: 0, p99_ms: null, load: 0, loaded: {}, replicas: [], name, weight, ...more };
}

function sum(split: Readonly<Record<string, number>>): number {
  return Math.round(Object.values(split).reduce((total, share) => total + share, 0) * 10) / 10;
}

void describe('the split of the traffic', () => {
  void it('is of those that answer, and always 100 per cent', () => {
    const split = splitOf([variant('a', 1), variant('b', 1), variant('c', 1), variant('s', 50, { shadow: true }), variant('w', 5, { state: 'Waiting' })]);
    assert.deepEqual(split, { a: 33.4, b: 33.3, c: 33.3 });
    assert.deepEqual(splitOf([variant('a', 0)]), { a: 0 });
    assert.deepEqual(splitOf([]), {});
  });
  void it('gives what one leaves to the others, in their proportions', () => {
    assert.deepEqual(moved({ a: 90, b: 10 }, 'b', 25), { a: 75, b: 25 });
    assert.deepEqual(moved({ a: 60, b: 30, c: 10 }, 'c', 40), { a: 40, b: 20, c: 40 });
    assert.deepEqual(moved({ a: 100, b: 0, c: 0 }, 'a', 50), { a: 50, b: 25, c: 25 });
  });
  void it('keeps the sum through any move, and refuses nonsense', () => {
    let split: Readonly<Record<string, number>> = { a: 33.4, b: 33.3, c: 33.3 };
    for (const [name, value] of [['a', 0.1], ['b', 99.9], ['c', 1 / 3], ['a', NaN], ['b', 1e9], ['c', -4]] as const) {
      split = moved(split, name, value);
      assert.equal(sum(split), 100, `${name} ${value}`);
      assert.ok(Object.values(split).every(share => share >= 0 && share <= 100));
    }
    assert.deepEqual(moved({ a: 100 }, 'a', 5), { a: 100 });
    assert.ok(isSame({ a: 1, b: 99 }, { b: 99, a: 1 }));
    assert.ok(!isSame({ a: 1, b: 99 }, { a: 1 }));
  });
  void it('finds the weight that a newcomer needs for its share', () => {
    const weight = weightFor(10, [100]);
    assert.ok(Math.abs((100 * weight) / (100 + weight) - 10) < 1e-3);
    assert.equal(weightFor(0, [100]), 0);
    assert.equal(weightFor(50, [90, 10]), 100);
  });
});

void describe('a strategy', () => {
  void it('reads times as people write them', () => {
    assert.deepEqual(['90', '90 s', '1.5 min', '1h', '2 d', '', '0'].map(secondsOf), [90, 90, 90, 3600, 172_800, 0, 0]);
    assert.deepEqual(['soon', '-1 s', '8 d', '5 parsecs', '1e3'].map(secondsOf), [null, null, null, null, null]);
    assert.deepEqual([0, 45, 90, 300, 7200, 86_400].map(timeText), ['0 s', '45 s', '90 s', '5 min', '2 h', '1 d']);
  });
  void it('is none where all moves at once and nothing is watched', () => {
    assert.equal(strategyOf(FIRST), undefined);
    assert.equal(strategyOf({ ...FIRST, bake: '5 min' })?.bake_s, 300);
  });
  void it('has the steps that the server takes', () => {
    const steps = (kind: 'canary' | 'linear', percent: string): number[] => stepsOf(strategyOf({ ...FIRST, kind, percent })).map(step => step.share);
    assert.deepEqual(steps('canary', '10'), [10, 100]);
    assert.deepEqual(steps('linear', '25'), [25, 50, 75, 100]);
    assert.deepEqual(steps('linear', '30'), [30, 60, 90, 100]);
    assert.deepEqual(stepsOf(undefined), [{ share: 100, seconds: 0 }]);
  });
  void it('says what will happen, and at what it is taken back', () => {
    const strategy = strategyOf({ ...FIRST, kind: 'linear', percent: '50', step: '2 min', bake: '1 h', p99: '80' });
    const words = shiftWords(strategy, 'v1', '2', trans).join(' ');
    assert.match(words, /50 % every 2 min: 2 steps, all of the traffic after 2 min/);
    assert.match(words, /stays ready for another 1 h/);
    assert.match(words, /more than 5 % errors, or at a p99 above 80 ms, or at an alert/);
    const careless = strategyOf({ ...FIRST, kind: 'canary', errors: '', drift: false });
    assert.match(shiftWords(careless, 'v1', '2', trans).join(' '), /no limit is set/);
  });
  void it('names the field that is wrong', () => {
    assert.deepEqual(problemsOf(FIRST, trans), {});
    assert.deepEqual(Object.keys(problemsOf({ ...FIRST, kind: 'canary', percent: '100', step: 'x', bake: 'y', errors: '101', p99: '0' }, trans)), ['percent', 'step', 'bake', 'errors', 'p99']);
    // What is not shown is not asked for.
    assert.deepEqual(problemsOf({ ...FIRST, percent: '', step: 'x' }, trans), {});
  });
});

void describe("an endpoint's settings", () => {
  const settings: EndpointSettings = { capture: true, idle_s: 300, timeout_s: 30, max_body: 16 * 2 ** 20, rate_limit: null, cors: [], target_load: 4, fast_path: true, capture_percent: 100, capture_days: 30, redact: ['wind'] };
  const before = formOf('always', settings);
  void it('sends only what was changed, in the units of the server', () => {
    assert.deepEqual(changesOf(before, before), {});
    assert.deepEqual(changesOf(before, { ...before, idle: '300 s ' }), { idle_s: 300 });
    assert.deepEqual(changesOf(before, { ...before, mode: 'serverless', idle: '10 min', body: '0.5', rate: '20', cors: 'https://a.example\nhttps://b.example', redact: [] }), {
      mode: 'serverless',
      idle_s: 600,
      max_body: 2 ** 19,
      rate_limit: 20,
      cors: ['https://a.example', 'https://b.example'],
      redact: []
    });
  });
  void it('takes an empty rate limit for none', () => {
    const limited = formOf('always', { ...settings, rate_limit: 5 });
    assert.deepEqual(changesOf(limited, { ...limited, rate: '' }), { rate_limit: 0 });
  });
  void it('finds what the server would refuse', () => {
    assert.deepEqual(settingsProblems(before, trans), {});
    const wrong = settingsProblems({ ...before, idle: '', timeout: 'x', body: '0', load: '', rate: '-1', percent: '101', days: '1.5', cors: '*' }, trans);
    assert.deepEqual(Object.keys(wrong).sort(), ['body', 'cors', 'days', 'idle', 'load', 'percent', 'rate', 'timeout']);
    assert.deepEqual(originsOf(' https://a.example, https://a.example\n'), ['https://a.example']);
  });
});

void describe('how long the next request waits', () => {
  const times = { environment: 'sklearn', measured: 2 };
  void it('says what was measured, and promises nothing before', () => {
    assert.match(wakesIn({ ...times, warm_ms: 61.4, cold_ms: 2400 }, trans), /in 61 ms here, in 2.4 s if its environment/);
    assert.match(wakesIn({ ...times, warm_ms: 61.4, cold_ms: null }, trans), /in 61 ms here\.$/);
    assert.match(wakesIn({ ...times, warm_ms: null, cold_ms: 2400 }, trans), /in 2.4 s here\.$/);
    assert.match(wakesIn(undefined, trans), /shown after the first time/);
  });
});
