import { describe, expect, it } from 'vitest';

import { atThreshold, ratesOf } from '../src/features/experiments/threshold';
import { StatsHistory } from '../src/features/endpoints/history';
import { exampleRow, fieldsOf, rowOf } from '../src/features/models/signature';
import { formatAgo, formatBytes, formatDuration, formatMetric, formatMoney, formatNumber } from '../src/format';
import { targetOf } from '../src/links';
import { nearest, pathOf, rangeOf, sharesOf, ticksOf } from '../src/ui/scale';

describe('numbers', () => {
  it('keeps at most four significant digits', () => {
    expect([0.771234, 12.34567, 1234.5, 1e-7, 0, 3].map(formatNumber)).toEqual(['0.7712', '12.35', '1,235', '1.00e-7', '0', '3']);
  });
  it('writes what is not a number as it is, and nothing as a dash', () => {
    expect([formatNumber('NaN'), formatNumber(null), formatMetric(Number.NaN)]).toEqual(['NaN', '–', 'NaN']);
  });
  it('gives metrics the same decimals down a column', () => {
    expect([0.77, 0.7712345].map(formatMetric)).toEqual(['0.7700', '0.7712']);
  });
  it('keeps the digits of small money', () => {
    expect([0, 0.01, 0.0004, 1.5].map(amount => formatMoney(amount))).toEqual(['€ 0.00', '€ 0.010', '€ 0.0004', '€ 1.50']);
  });
  it('writes sizes and times', () => {
    expect([formatBytes(181_000_000), formatDuration(2500), formatDuration(125_000), formatAgo(1000, 61_000)]).toEqual(['181 MB', '2.5 s', '2 min 5 s', '1 min ago']);
  });
});

describe('charts', () => {
  it('widens flat ranges and survives none', () => {
    expect(rangeOf([2, 2])).toEqual({ min: 1.8, max: 2.2 });
    expect(rangeOf([NaN])).toEqual({ min: 0, max: 1 });
  });
  it('puts ticks on round values', () => {
    expect(ticksOf({ min: 0, max: 1 }, 4)).toEqual([0, 0.5, 1]);
    expect(ticksOf({ min: 0, max: 3 }, 10, true)).toEqual([0, 1, 2, 3]);
  });
  it('leaves a gap where a value is missing', () => {
    const same = (v: number): number => v;
    expect(pathOf([[0, 0], [1, NaN], [2, 2]], same, same)).toBe('M0.0 0.0M2.0 2.0');
    expect(nearest([[0, 1], [4, 2]], 3)).toEqual([4, 2]);
    expect(sharesOf([1, 3])).toEqual([0.25, 0.75]);
  });
});

describe('threshold', () => {
  const data = { threshold: 0.5, matrix: { tp: 2, fp: 1, fn: 1, tn: 6 }, curve: [[0.2, 3, 3, 0, 4], [0.8, 1, 0, 2, 7]] as [number, number, number, number, number][] };
  it('takes the first cut at or above it', () => {
    expect(atThreshold(data, 0.5)).toEqual(data.matrix);
    expect(atThreshold(data, 0.3)).toEqual({ tp: 1, fp: 0, fn: 2, tn: 7 });
    expect(atThreshold(data, 0.9)).toEqual({ tp: 0, fp: 0, fn: 3, tn: 7 });
  });
  it('has no precision where nothing is predicted', () => {
    expect(ratesOf({ tp: 0, fp: 0, fn: 3, tn: 7 })).toEqual({ accuracy: 0.7, precision: null, recall: 0, f1: 0 });
  });
});

describe('signature', () => {
  const inputs = [
    { name: 'wind', type: 'double' },
    { name: 'month', type: 'long' },
    { name: 'note', type: 'string', required: false }
  ];
  it('reads named columns and refuses tensors', () => {
    expect(fieldsOf({ inputs })?.map(field => field.kind)).toEqual(['number', 'integer', 'text']);
    expect(fieldsOf({ inputs: [{ type: 'tensor' }] })).toBeNull();
  });
  it('finds the first row in every input form of MLflow', () => {
    const row = { wind: 4.5, month: 1 };
    const forms = [{ columns: ['wind', 'month'], data: [[4.5, 1]] }, { dataframe_split: { columns: ['wind', 'month'], data: [[4.5, 1]] } }, { dataframe_records: [row] }, [row], row, { inputs: { wind: [4.5], month: [1] } }];
    for (const form of forms) {
      expect(exampleRow(form)).toEqual(row);
    }
  });
  it('says which fields are no numbers', () => {
    const fields = fieldsOf({ inputs }) ?? [];
    expect(rowOf(fields, { wind: 'x', month: '1.5', note: '' }).wrong).toEqual(['wind', 'month']);
    expect(rowOf(fields, { wind: '4.5', month: '1' })).toEqual({ row: { wind: 4.5, month: 1, note: '' }, wrong: [] });
  });
});

describe('endpoint figures', () => {
  it('turns counters into rates and survives a restart of the gateway', () => {
    const stats = { requests: 100, errors: 0, inflight: 0, p50_ms: 2, p99_ms: 5, last_ms: 0, captured: 0, dropped: 0 };
    const history = new StatsHistory();
    history.add(stats, 0);
    history.add({ ...stats, requests: 120 }, 2000);
    history.add({ ...stats, requests: 6 }, 4000);
    expect(history.samples.map(sample => sample.perSecond)).toEqual([0, 10, 3]);
  });
});

describe('links', () => {
  it('leads from what the server names to a panel', () => {
    expect(targetOf('runs/abc')).toEqual({ panel: 'run', item: 'abc' });
    expect(targetOf('/endpoints/rain-tomorrow')).toEqual({ panel: 'endpoint', item: 'rain-tomorrow' });
    expect(targetOf('https://elsewhere')).toBeNull();
  });
});
