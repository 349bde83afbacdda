import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Lineage } from '../src/api/model';
import { HEIGHT, layOut } from '../src/features/lineage/layout';
import { closedFrame } from '../src/features/run/previews/frames';
import { imageType, isText, kindOf } from '../src/features/run/previews/kinds';
import { parseCsv, tableOf } from '../src/features/run/previews/tables';
import { NOTE, groupTags, shortKey } from '../src/features/run/tags';
import { targetOf } from '../src/links';

void describe('kindOf', () => {
  void it('goes by the name alone', () => {
    const kinds = ['a/b.PNG', 'x.svg', 'model/MLmodel', 'eval.csv', 'a.json', 'README.md', 'r.html', 'train.log', 'model.pkl', 'data'].map(kindOf);
    assert.deepEqual(kinds, ['image', 'svg', 'model', 'table', 'json', 'markdown', 'html', 'text', 'none', 'none']);
  });
  void it('never names a type that runs', () => {
    assert.equal(imageType('evil.svg'), 'image/png');
    assert.equal(imageType('x.html'), 'image/png');
    assert.equal(imageType('x.JPG'), 'image/jpeg');
  });
});

void describe('isText', () => {
  void it('takes text cut in the middle of a letter, and no binary', () => {
    assert.ok(isText(new TextEncoder().encode('grün').slice(0, 3)));
    assert.ok(!isText(new Uint8Array([80, 75, 3, 4, 0, 0])));
    assert.ok(!isText(new Uint8Array([0xff, 0xfe, 0x41])));
  });
});

void describe('parseCsv', () => {
  void it('knows quotes, doubled quotes, line ends in quotes and a byte order mark', () => {
    const table = parseCsv('\ufeffa,b\r\n"1, ""x""","two\nlines"\n3,\n', ',', false);
    assert.deepEqual(table, { columns: ['a', 'b'], rows: [['1, "x"', 'two\nlines'], ['3', '']], cut: false });
  });
  void it('leaves out the half row of a cut file, and keeps the last of a whole one', () => {
    assert.deepEqual(parseCsv('a\n1\n2\n33', ',', true).rows, [['1'], ['2']]);
    assert.deepEqual(parseCsv('a\n1\n2\n33', ',', false).rows, [['1'], ['2'], ['33']]);
  });
  void it('ends at a bound', () => {
    const table = parseCsv('a\n' + '1\n'.repeat(5000), ',', false);
    assert.equal(table.rows.length, 1000);
    assert.ok(table.cut);
  });
});

void describe('tableOf', () => {
  void it("reads MLflow's tables and flat records", () => {
    assert.deepEqual(tableOf({ columns: ['a'], data: [[1], [{ x: 2 }]] })?.rows, [[1], ['{"x":2}']]);
    assert.deepEqual(tableOf([{ a: 1 }, { b: null }]), { columns: ['a', 'b'], rows: [[1, null], [null, null]], cut: false });
  });
  void it('takes nothing else for a table', () => {
    for (const value of [null, 1, 'x', [], [1, 2], [{ a: {} }], { columns: 1, data: [] }, { columns: [], data: [1] }]) {
      assert.equal(tableOf(value), null, JSON.stringify(value));
    }
  });
});

void describe('closedFrame', () => {
  void it('gives no frame the origin, and neither of them scripts unless asked', () => {
    for (const scripts of [false, true]) {
      const { sandbox, srcDoc } = closedFrame('<p>', scripts);
      assert.equal(sandbox, scripts ? 'allow-scripts' : '');
      assert.doesNotMatch(srcDoc, /allow-same-origin|allow-top|allow-popups|allow-forms/);
      assert.match(srcDoc, /default-src 'none'/);
      assert.match(srcDoc, /frame-src 'none'/);
    }
  });
  void it('cannot be left through a quote', () => {
    const { srcDoc } = closedFrame('"></iframe><script>top.x=1</script>&quot;', false);
    const [, ...rest] = srcDoc.split('srcdoc="');
    assert.equal(rest.length, 1);
    assert.equal(rest[0]?.split('"').length, 2, 'the attribute ends where it is to end');
    assert.match(srcDoc, /&amp;quot;"><\/iframe>$/);
  });
});

void describe('groupTags', () => {
  void it('keeps what people set apart from what clients write', () => {
    const tags = { team: 'a', 'mlflow.source.name': 'train.py', 'mlflow.source.git.commit': 'abc', 'mlflow.user': 'ann', 'studio.job_id': 'j', [NOTE]: 'x', 'mlflow.x': 'y' };
    const groups = groupTags(tags);
    assert.deepEqual(groups.own, [['team', 'a']]);
    assert.deepEqual(groups.git.map(([key]) => shortKey(key)), ['commit']);
    assert.deepEqual(groups.source.map(([key]) => key), ['mlflow.source.name', 'mlflow.user', 'studio.job_id']);
    assert.deepEqual(groups.system, [['mlflow.x', 'y']]);
  });
});

void describe('targetOf', () => {
  void it('leads to a version of a model', () => {
    assert.deepEqual(targetOf('models/rain/3'), { panel: 'models', item: 'rain/3' });
    assert.deepEqual(targetOf('models/rain'), { panel: 'models', item: 'rain' });
    assert.deepEqual(targetOf('runs/abc/def'), { panel: 'run', item: 'abc' });
  });
});

void describe('layOut', () => {
  const node = (id: string, kind: string): Lineage['nodes'][number] => ({ id, kind, name: id, detail: '', state: '', item: id });
  const edge = (source: string, target: string): Lineage['edges'][number] => ({ source, target, label: '' });
  void it('puts kinds in columns and what belongs together at one height', () => {
    const lineage = {
      focus: ['r1'],
      cut: false,
      nodes: [node('v2', 'version'), node('v1', 'version'), node('d', 'dataset'), node('r1', 'run'), node('r2', 'run')],
      edges: [edge('d', 'r1'), edge('d', 'r2'), edge('r1', 'v1'), edge('r2', 'v2'), edge('gone', 'v2')]
    };
    const graph = layOut(lineage);
    const at = new Map(graph.nodes.map(item => [item.id, item]));
    assert.ok((at.get('d')?.x ?? 0) < (at.get('r1')?.x ?? 0) && (at.get('r1')?.x ?? 0) < (at.get('v1')?.x ?? 0));
    assert.equal(at.get('v1')?.y, at.get('r1')?.y);
    assert.equal(at.get('v2')?.y, at.get('r2')?.y);
    assert.equal(graph.links.length, 4);
    assert.deepEqual(graph.nodes.filter(item => item.focus).map(item => item.id), ['r1']);
    assert.equal(new Set(graph.nodes.map(item => `${item.x} ${item.y}`)).size, 5);
    assert.ok(graph.nodes.every(item => item.y >= 0 && item.y + HEIGHT <= graph.height + 0.01));
  });
  void it('draws one thing alone', () => assert.equal(layOut({ focus: [], cut: false, nodes: [node('r', 'run')], edges: [] }).height, HEIGHT));
});
