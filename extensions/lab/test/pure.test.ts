import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { atThreshold, ratesOf } from '../src/features/run/threshold';
import { StatsHistory } from '../src/features/endpoints/history';
import { exampleRow, fieldsOf, rowOf } from '../src/features/models/signature';
import { formatAgo, formatBytes, formatDuration, formatMetric, formatMoney, formatNumber } from '../src/format';
import { targetOf } from '../src/links';
import { nearest, pathOf, rangeOf, sharesOf, ticksOf } from '../src/ui/scale';

void describe('numbers', () => {
  void it('keeps at most four significant digits', () => {
    assert.deepEqual([0.771234, 12.34567, 1234.5, 1e-7, 0, 3].map(formatNumber), ['0.7712', '12.35', '1,235', '1.00e-7', '0', '3']);
  });
  void it('writes what is not a number as it is, and nothing as a dash', () => {
    assert.deepEqual([formatNumber('NaN'), formatNumber(null), formatMetric(Number.NaN)], ['NaN', '–', 'NaN']);
  });
  void it('gives metrics the same decimals down a column', () => {
    assert.deepEqual([0.77, 0.7712345].map(formatMetric), ['0.7700', '0.7712']);
  });
  void it('keeps the digits of small money', () => {
    assert.deepEqual([0, 0.01, 0.0004, 1.5].map(amount => formatMoney(amount)), ['€ 0.00', '€ 0.010', '€ 0.0004', '€ 1.50']);
  });
  void it('writes sizes and times', () => {
    assert.deepEqual([formatBytes(181_000_000), formatDuration(2500), formatDuration(125_000), formatDuration(299_800), formatDuration(59_700), formatAgo(1000, 61_000)], ['181 MB', '2.5 s', '2 min 5 s', '5 min 0 s', '1 min 0 s', '1 min ago']);
  });
});

void describe('charts', () => {
  void it('widens flat ranges and survives none', () => {
    assert.deepEqual(rangeOf([2, 2]), { min: 1.8, max: 2.2 });
    assert.deepEqual(rangeOf([NaN]), { min: 0, max: 1 });
  });
  void it('puts ticks on round values', () => {
    assert.deepEqual(ticksOf({ min: 0, max: 1 }, 4), [0, 0.5, 1]);
    assert.deepEqual(ticksOf({ min: 0, max: 3 }, 10, true), [0, 1, 2, 3]);
  });
  void it('leaves a gap where a value is missing', () => {
    const same = (v: number): number => v;
    assert.equal(pathOf([[0, 0], [1, NaN], [2, 2]], same, same), 'M0.0 0.0M2.0 2.0');
    assert.deepEqual(nearest([[0, 1], [4, 2]], 3), [4, 2]);
    assert.deepEqual(sharesOf([1, 3]), [0.25, 0.75]);
  });
});

void describe('threshold', () => {
  const data = { threshold: 0.5, matrix: { tp: 2, fp: 1, fn: 1, tn: 6 }, curve: [[0.2, 3, 3, 0, 4], [0.8, 1, 0, 2, 7]] as [number, number, number, number, number][] };
  void it('takes the first cut at or above it', () => {
    assert.deepEqual(atThreshold(data, 0.5), data.matrix);
    assert.deepEqual(atThreshold(data, 0.3), { tp: 1, fp: 0, fn: 2, tn: 7 });
    assert.deepEqual(atThreshold(data, 0.9), { tp: 0, fp: 0, fn: 3, tn: 7 });
  });
  void it('has no precision where nothing is predicted', () => {
    assert.deepEqual(ratesOf({ tp: 0, fp: 0, fn: 3, tn: 7 }), { accuracy: 0.7, precision: null, recall: 0, f1: 0 });
  });
});

void describe('signature', () => {
  const inputs = [
    { name: 'wind', type: 'double' },
    { name: 'month', type: 'long' },
    { name: 'note', type: 'string', required: false }
  ];
  void it('reads named columns and refuses tensors', () => {
    assert.deepEqual(fieldsOf({ inputs })?.map(field => field.kind), ['number', 'integer', 'text']);
    assert.equal(fieldsOf({ inputs: [{ type: 'tensor' }] }), null);
  });
  void it('finds the first row in every input form of MLflow', () => {
    const row = { wind: 4.5, month: 1 };
    const forms = [{ columns: ['wind', 'month'], data: [[4.5, 1]] }, { dataframe_split: { columns: ['wind', 'month'], data: [[4.5, 1]] } }, { dataframe_records: [row] }, [row], row, { inputs: { wind: [4.5], month: [1] } }];
    for (const form of forms) {
      assert.deepEqual(exampleRow(form), row);
    }
  });
  void it('says which fields are no numbers', () => {
    const fields = fieldsOf({ inputs }) ?? [];
    assert.deepEqual(rowOf(fields, { wind: 'x', month: '1.5', note: '' }).wrong, ['wind', 'month']);
    assert.deepEqual(rowOf(fields, { wind: '4.5', month: '1' }), { row: { wind: 4.5, month: 1, note: '' }, wrong: [] });
  });
});

void describe('endpoint figures', () => {
  void it('turns counters into rates and survives a restart of the gateway', () => {
    const stats = { requests: 100, errors: 0, inflight: 0, p50_ms: 2, p99_ms: 5, last_ms: 0, captured: 0, dropped: 0 };
    const history = new StatsHistory();
    const seen = (requests: number): Parameters<StatsHistory['add']>[0] => ({ stats: { ...stats, requests }, variants: [], price_per_hour: 0.02 });
    history.add(seen(100), 0);
    history.add(seen(120), 2000);
    history.add(seen(6), 4000);
    assert.deepEqual(history.samples.map(sample => sample.perSecond), [0, 10, 3]);
  });
});

void describe('links', () => {
  void it('leads from what the server names to a panel', () => {
    assert.deepEqual(targetOf('runs/abc'), { panel: 'run', item: 'abc' });
    assert.deepEqual(targetOf('/endpoints/rain-tomorrow'), { panel: 'endpoint', item: 'rain-tomorrow' });
    assert.equal(targetOf('https://elsewhere'), null);
  });
});
