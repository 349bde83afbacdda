import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Experiment, Run } from '../src/api/model';
import { columnOf, defaultColumns, differing, isNumeric, nameOf, valueOf } from '../src/features/experiments/columns';
import { completed, completionAt, identifier, narrowed } from '../src/features/experiments/filter';
import { figure, paired, pairedTimes } from '../src/features/experiments/numbers';
import { chosenOf, linesOf, treeOf } from '../src/features/experiments/tree';
import { PLAIN, START, arrangementOf, fromLink, isSame, moved, sortedBy, toLink } from '../src/features/experiments/view';
import { inSight, placed } from '../src/ui/gridplaces';

const KEYS = { metrics: ['auc', 'val loss'], params: ['model', 'depth'], tags: ['team'] };

function run(number: number, fields: Partial<Run> = {}): Run {
  return { number, run_id: `r${number}`, name: `run-${number}`, experiment_id: '1', status: 'FINISHED', stage: 'active', user: 'ada', start_ms: 1000, end_ms: 3500, metrics: {}, params: {}, tags: {}, job_id: null, ...fields };
}

function options(text: string): string[] {
  return completionAt(text, text.length, KEYS).options.map(option => option.text);
}

void describe('completion of the filter', () => {
  void it('offers keys, comparisons and AND where they can stand', () => {
    assert.ok(options('').includes('metrics.auc'));
    assert.deepEqual(options('au')[0], 'metrics.auc');
    assert.deepEqual(options('metrics.auc '), ['>', '>=', '<', '<=', '=', '!=']);
    assert.ok(options('params.model ').includes('LIKE'));
    assert.deepEqual(options("params.model = 'x' "), ['AND']);
    assert.deepEqual(options("params.model IS NULL a"), ['AND']);
    assert.ok(options("metrics.auc > 0.5 AND p").includes('params.depth'));
    assert.deepEqual(options('metrics.auc > '), []);
  });
  void it('asks for values of texts, as far as they are written', () => {
    const { column, begins, from } = completionAt("params.model = 'fo", 18, KEYS);
    assert.deepEqual([column, begins, from], ['params.model', 'fo', 15]);
    assert.deepEqual(options('status = '), ["'FINISHED'", "'RUNNING'", "'FAILED'", "'KILLED'", "'SCHEDULED'"]);
    assert.equal(completionAt("run_id IN ('a', ", 16, KEYS).options.length, 0);
  });
  void it('quotes keys that are no words', () => {
    assert.equal(identifier('metrics', 'val loss'), 'metrics.`val loss`');
    assert.equal(identifier('params', 'in'), 'params.`in`');
    assert.deepEqual(options('metrics.val'), ['metrics.`val loss`']);
  });
  void it('puts an option in the place of what was typed', () => {
    const text = 'metrics.au > 1';
    assert.deepEqual(completed(text, completionAt(text, 10, KEYS), { text: 'metrics.auc' }), { text: 'metrics.auc > 1', caret: 12 });
  });
  void it('narrows a filter to a group', () => {
    assert.equal(narrowed('', 'params.model', "it's"), "params.model = 'it''s'");
    assert.equal(narrowed('metrics.auc > 1', 'tags.a b', null), 'metrics.auc > 1 AND tags.`a b` IS NULL');
    assert.equal(narrowed('', 'attributes.user', 'ada'), "attributes.user_id = 'ada'");
  });
});

void describe('columns of runs', () => {
  void it('are named and read back', () => {
    for (const name of ['metrics.auc', 'metrics.a/b#max', 'params.x.y', 'tags.mlflow.note.content', 'attributes.status']) {
      const column = columnOf(name);
      assert.ok(column);
      assert.equal(nameOf(column), name);
    }
    assert.deepEqual(['auc', 'params.x#min', 'metrics.'].map(columnOf), [null, null, null]);
  });
  void it('have values', () => {
    const one = run(1, { metrics: { auc: { last: null, min: 1, max: 2, step: 3 } }, params: { depth: '3' } });
    const value = (name: string): unknown => valueOf(one, columnOf(name) ?? { kind: 'tags', key: '', bound: 'last' }, 9000);
    assert.deepEqual(['metrics.auc', 'metrics.auc#max', 'metrics.none', 'params.depth', 'attributes.duration'].map(value), [NaN, 2, null, '3', 2500]);
    assert.deepEqual([isNumeric(['1', '2.5e-3', null]), isNumeric(['1', 'sgd']), isNumeric([null])], [true, false, false]);
  });
  void it('differ or not', () => {
    const runs = [run(1, { params: { a: '1', b: '1' } }), run(2, { params: { a: '1', b: '2' } })];
    assert.deepEqual([...differing(runs, ['params.a', 'params.b', 'params.c', 'attributes.run_id'])], ['params.b', 'attributes.run_id']);
  });
  void it('are those that say most at first', () => {
    const one = run(1, { metrics: { z: { last: 1, min: 1, max: 1, step: 0 }, auc: { last: 1, min: 1, max: 1, step: 0 } }, params: { model: 'x' } });
    assert.deepEqual(defaultColumns([one], false), ['attributes.run_name', 'attributes.start_time', 'attributes.duration', 'metrics.auc', 'metrics.z', 'params.model', 'attributes.user']);
  });
});

void describe('views of runs', () => {
  const view = { ...START, experiment: 'team/', filter: "params.a = 'b&c'", sort: [{ column: 'metrics.auc#max', descending: true }, { column: 'params.x', descending: false }], columns: ['metrics.auc', 'params.a, b'], group: 'params.model', differs: true };
  void it('survive a link', () => {
    assert.deepEqual({ ...START, ...fromLink(toLink(view)) }, view);
    assert.equal(toLink(START), '');
    assert.deepEqual(fromLink('7'), { experiment: '7' });
    assert.deepEqual(fromLink('view=mine'), { name: 'mine' });
  });
  void it('leave out what is no view', () => {
    assert.deepEqual(arrangementOf(null), PLAIN);
    const odd = arrangementOf({ filter: 3, sort: [null, { column: 'x' }, { column: 'metrics.a' }], columns: ['nope', 'params.a', 'params.a'], widths: { 'metrics.a': 1e9, x: 5 }, group: 'metrics.a', charts: 'x' });
    assert.deepEqual(odd, { ...PLAIN, sort: [{ column: 'metrics.a', descending: false }], columns: ['params.a'], widths: { 'metrics.a': 800 } });
    assert.ok(isSame(Object.assign({}, view, { experiment: 'other' }), view));
  });
  void it('sort by a click, and by more with shift', () => {
    const once = sortedBy([], 'metrics.a', false, true);
    assert.deepEqual(once, [{ column: 'metrics.a', descending: true }]);
    const twice = sortedBy(once, 'metrics.a', false, true);
    assert.deepEqual(twice, [{ column: 'metrics.a', descending: false }]);
    assert.deepEqual(sortedBy(twice, 'metrics.a', false, true), []);
    assert.deepEqual(sortedBy(once, 'params.b', true, false).map(item => item.column), ['metrics.a', 'params.b']);
    assert.deepEqual(sortedBy(once, 'params.b', false, false).map(item => item.column), ['params.b']);
  });
  void it('move columns', () => {
    assert.deepEqual(moved(['a', 'b', 'c'], 'c', 'a'), ['c', 'a', 'b']);
    assert.deepEqual(moved(['a', 'b', 'c'], 'a', null), ['b', 'c', 'a']);
  });
});

void describe('the tree of experiments', () => {
  const experiments = ['team/rain/winter', 'team/rain/summer', 'team/snow', 'alone', 'team'].map((name, n): Experiment => ({ experiment_id: String(n + 1), name, runs: n + 1, created_ms: 0, last_update_ms: 0 }));
  void it('has folders with the runs below them', () => {
    const lines = linesOf(treeOf(experiments), new Set());
    assert.deepEqual(lines.map(({ label, depth, runs }) => [label, depth, runs]), [['team', 0, 6], ['rain', 1, 3], ['summer', 2, 2], ['winter', 2, 1], ['snow', 1, 3], ['alone', 0, 4], ['team', 0, 5]]);
    assert.equal(linesOf(treeOf(experiments), new Set(['team/'])).length, 3);
  });
  void it('chooses all that lies in a folder', () => {
    assert.deepEqual(chosenOf(experiments, 'team/rain/'), ['1', '2']);
    assert.deepEqual(chosenOf(experiments, '4'), ['4']);
    assert.equal(chosenOf(experiments, ''), null);
  });
});

void describe('numbers in cells', () => {
  void it('have four significant digits', () => {
    assert.deepEqual([0.77, 12.34567, 1234.5, 3, 1e-7, -0.00012345, NaN, Infinity, 1e9].map(figure), ['0.7700', '12.35', '1,235', '3', '1.000e-7', '-0.0001234', 'NaN', '∞', '1.000e9']);
  });
  void it('have a deviation with as many decimals, unless nothing would be left of it', () => {
    assert.deepEqual(paired(0.625166, 0.16152), ['0.6252', '0.1615']);
    assert.deepEqual(paired(1234.5, 0.01), ['1,235', '0.01000']);
    assert.deepEqual(paired(5, null), ['5', '']);
    assert.deepEqual(pairedTimes(450_000, 252_000), ['7.5', '4.2 min']);
  });
});

void describe('places of columns', () => {
  const columns = ['a', 'b', 'c'].map(key => ({ key, width: 100 }));
  void it('stand beside each other, the first of them pinned', () => {
    const { pinned, pinnedWidth, rest, width } = placed(columns, 1, 32, { key: 'b', width: 50 });
    assert.deepEqual([pinned.length, pinnedWidth, rest.map(place => place.left), width], [1, 132, [132, 182], 298]);
    assert.equal(placed(columns, 0, 32, null).pinnedWidth, 32);
  });
  void it('are drawn only near what is in sight', () => {
    const many = placed(Array.from({ length: 500 }, (_, n) => ({ key: String(n), width: 100 })), 1, 32, null);
    assert.ok(inSight(many.rest, 20_000, 1000).length < 20);
  });
});
