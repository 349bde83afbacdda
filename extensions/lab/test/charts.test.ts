import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { CurveAnswer, Run } from '../src/api/model';
import { drawn, fromPixel, nearestIndex, padded, quantile, timeUnit, toPixel, withoutOutliers, xOf } from '../src/features/experiments/charts/axes';
import { codeOf, literal } from '../src/features/experiments/charts/code';
import { csvOf } from '../src/features/experiments/charts/csv';
import { centreOf, curveOf, grown, lastStep } from '../src/features/experiments/charts/curve-data';
import { rowsOf } from '../src/features/experiments/charts/differences';
import { betterOf } from '../src/features/experiments/charts/direction';
import { Scale, groupsOf, seriesOf, valueAt } from '../src/features/experiments/charts/series';
import { smoothed } from '../src/features/experiments/charts/smoothing';
import { START, hasCurve, parallelChoice, scatterChoice, shownMetrics } from '../src/features/experiments/charts/state';
import { stepsWithin } from '../src/features/experiments/charts/steps';
import { frameOf, logTicks, unitTicks, xText } from '../src/features/experiments/charts/traces';
import { dimensionOf, numberAt, shareOf, typedOf } from '../src/features/experiments/charts/values';
import { between, faint, plainColor } from '../src/ui/colors';
import { plain } from '../src/ui/plotly';

type Points = CurveAnswer['points'];

function runOf(id: string, more: Partial<Run> = {}): Run {
  return { run_id: id, name: id, experiment_id: '1', status: 'FINISHED', stage: 'active', user: 'ada', start_ms: 1000, end_ms: 5000, metrics: {}, params: {}, tags: {}, job_id: null, ...more } as Run;
}

function answer(points: Points, more: Partial<CurveAnswer> = {}): CurveAnswer {
  return { run_id: 'a', key: 'loss', points, is_thinned: false, means: [], ...more };
}

const SCALE: Scale = { x: 'step', logX: false, logY: false, smoothing: 0 };

void describe('smoothing', () => {
  const even = Array.from({ length: 1001 }, (_, i) => i);
  void it('is the plain average with bias correction where points lie a thousandth apart', () => {
    const values = even.map(i => Math.sin(i / 50) + (i % 7));
    const keep = Math.sqrt(0.81);
    let last = 0;
    const expected = values.map((value, i) => {
      last = last * keep + (1 - keep) * value;
      return last / (1 - keep ** (i + 1));
    });
    smoothed(even, values, 0.81).forEach((value, i) => assert.ok(Math.abs(value - (expected[i] ?? NaN)) < 1e-9, `at ${i}`));
  });
  void it('starts at the first value and leaves a constant alone', () => {
    assert.equal(smoothed([0, 5, 9], [3, 100, 3], 0.9)[0], 3);
    smoothed([0, 1, 50, 900], [2, 2, 2, 2], 0.99).forEach(value => assert.ok(Math.abs(value - 2) < 1e-12));
  });
  void it('changes nothing without weight', () => {
    assert.deepEqual(smoothed([0, 1], [1, 5], 0), [1, 5]);
  });
  void it('does not carry what is no number on', () => {
    const found = smoothed([0, 1, 2], [1, NaN, 1], 0.9);
    assert.ok(Number.isNaN(found[1]) && found[0] === 1 && found[2] === 1);
  });
  void it('looks alike for a thinned curve', () => {
    const fine = Array.from({ length: 5001 }, (_, i) => i);
    const value = (i: number): number => Math.exp(-i / 1500);
    const coarse = fine.filter(i => i % 25 === 0);
    const whole = smoothed(fine, fine.map(value), 0.95);
    const thinned = smoothed(coarse, coarse.map(value), 0.95);
    coarse.forEach((at, i) => assert.ok(Math.abs((whole[at] ?? 0) - (thinned[i] ?? 0)) < 0.01, `at ${at}`));
  });
});

void describe('curves', () => {
  void it('come with values that are no numbers as such', () => {
    const curve = curveOf(answer([[0, 1, 0.5], [1, 2, 'NaN'], [2, 3, 'Infinity'], [3, 4, '-Infinity']]));
    assert.deepEqual(curve.points.map(point => point[2]), [0.5, NaN, Infinity, -Infinity]);
    assert.deepEqual(centreOf(curve), [[0, 1, 0.5]]);
  });
  void it('grow by what is new, and what is asked for twice is there once', () => {
    const known = curveOf(answer([[0, 1, 1], [1, 2, 2], [2, 3, 3]]));
    const next = grown(known, curveOf(answer([[2, 3, 3], [2, 4, 9], [3, 5, 4]])), lastStep(known));
    assert.deepEqual(next.points, [[0, 1, 1], [1, 2, 2], [2, 3, 3], [2, 4, 9], [3, 5, 4]]);
    assert.deepEqual(next.means, []);
  });
  void it('keep the means of what was thinned out when they grow', () => {
    const known = curveOf(answer([[0, 1, 1], [99, 2, 5]], { is_thinned: true, means: [[20, 1, 2], [60, 1, 3]] }));
    const next = grown(known, curveOf(answer([[99, 2, 5], [100, 3, 6]])), 99);
    assert.deepEqual(centreOf(next), [[20, 1, 2], [60, 1, 3], [99, 2, 5], [100, 3, 6]]);
    assert.ok(next.isThinned);
  });
  void it('are drawn with gaps, and marked where a value that is no number begins', () => {
    const curve = curveOf(answer([[0, 1, 1], [1, 2, 'NaN'], [2, 3, 'NaN'], [3, 4, 'Infinity'], [4, 5, 2]]));
    const line = seriesOf(curve, runOf('a'), 0, SCALE);
    assert.deepEqual(line.raw.y, [1, NaN, NaN, NaN, 2]);
    assert.deepEqual(line.odd, [{ x: 1, value: NaN }, { x: 3, value: Infinity }]);
  });
  void it('lie on logarithmic axes as exponents; zero and below have no place', () => {
    const curve = curveOf(answer([[0, 1, 10], [1, 2, 0.01], [100, 3, -1]]));
    const line = seriesOf(curve, runOf('a'), 0, { ...SCALE, logX: true, logY: true });
    assert.deepEqual(line.raw, { x: [0, 2], y: [-2, NaN] });
  });
  void it('run over seconds since the start of the run, in the order of time', () => {
    const curve = curveOf(answer([[0, 3000, 1], [1, 2000, 2]]));
    const line = seriesOf(curve, runOf('a'), 0, { ...SCALE, x: 'relative' });
    assert.deepEqual(line.raw, { x: [1, 2], y: [2, 1] });
  });
  void it('read out over local time', () => {
    const at = new Date(2026, 10, 22, 13, 45, 30).getTime();
    assert.equal(xText(xOf([0, at, 1], 'time', 0), { x: 'time', logX: false }), '2026-11-22 13:45:30');
  });
  void it('ask for the steps of a zoom only where something was thinned out', () => {
    const whole = { run: runOf('a'), curve: curveOf(answer([[0, 1, 1], [10, 2, 2], [20, 3, 3]])) };
    const thinned = { run: runOf('a'), curve: { ...whole.curve, isThinned: true } };
    assert.equal(stepsWithin([whole], [5, 12], SCALE), null);
    assert.deepEqual(stepsWithin([thinned], [5, 12], SCALE), [0, 20]);
    assert.equal(stepsWithin([thinned], [30, 40], SCALE), null);
  });
});

void describe('groups of runs', () => {
  const line = (id: string, points: Points): ReturnType<typeof seriesOf> => seriesOf(curveOf(answer(points)), runOf(id), 0, SCALE);
  void it('have the mean and the sample deviation of those that are there', () => {
    const [group] = groupsOf([line('a', [[0, 1, 1], [2, 1, 3]]), line('b', [[0, 1, 3], [1, 1, 5]])], () => 'x', false);
    assert.deepEqual(group?.line, { x: [0, 1, 2], y: [2, 3.5, 3] });
    const spread = group?.band?.high.map((value, i) => value - (group.line.y[i] ?? 0)) ?? [];
    assert.ok(Math.abs((spread[0] ?? 0) - Math.SQRT2) < 1e-12 && Math.abs((spread[1] ?? 0) - 1.5 * Math.SQRT2) < 1e-12 && spread[2] === 0);
  });
  void it('stand in the order of their values', () => {
    assert.deepEqual(groupsOf([line('10', [[0, 1, 1]]), line('9', [[0, 1, 1]])], id => id, false).map(group => group.id), ['9', '10']);
  });
  void it('have the mean of the values on a logarithmic axis too, and a band that ends', () => {
    const [group] = groupsOf([line('a', [[0, 1, 1]]), line('b', [[0, 1, 199]])], () => 'x', true);
    assert.deepEqual([group?.line.y[0], group?.band?.low[0]], [2, 1]);
  });
  void it('count a line as straight between its points, and not beyond them', () => {
    assert.deepEqual([0, 1, 2, 3].map(x => valueAt({ x: [0, 2], y: [0, 4] }, x)), [0, 2, 4, NaN]);
  });
});

void describe('axes of charts', () => {
  void it('find the nearest place', () => {
    assert.deepEqual([-5, 0.4, 0.6, 9].map(x => nearestIndex([0, 1, 4], x)), [0, 0, 1, 2]);
    assert.equal(nearestIndex([], 1), -1);
  });
  void it('lead to pixels and back', () => {
    assert.equal(toPixel(5, [0, 10], 100, 0), 50);
    assert.equal(fromPixel(50, [0, 10], 100, 0), 5);
    assert.deepEqual([drawn(100, true), drawn(0, true), drawn(0, false)], [2, NaN, 0]);
  });
  void it('have room for a single value and for none', () => {
    assert.deepEqual(padded([2, 2], 0.5), [1.8, 2.2]);
    assert.deepEqual(padded(null, 0.5), [0, 1]);
  });
  void it('leave outliers out, not the way to where a curve levels off', () => {
    const values = Array.from({ length: 100 }, (_, i) => 1 - Math.exp(-i / 10));
    const [least, most] = withoutOutliers([...values, 1e6]) ?? [NaN, NaN];
    assert.ok(least < 0.2 && most <= 1 && most > 0.99);
    assert.equal(quantile([1, 2, 3, 4], 0.5), 2.5);
  });
  void it('fit what is in sight, or the zoom', () => {
    const line = seriesOf(curveOf(answer([[0, 1, 0], [10, 2, 1], [20, 3, 100]])), runOf('a'), 0, SCALE);
    const whole = frameOf([line], false, { x: null, y: null });
    assert.ok(whole.x[0] < 0 && whole.x[1] > 20 && whole.y[1] > 100);
    assert.ok(frameOf([line], false, { x: [0, 12], y: null }).y[1] < 2);
    assert.deepEqual(frameOf([line], false, { x: [0, 12], y: [3, 4] }).y, [3, 4]);
  });
  void it('have round ticks', () => {
    assert.deepEqual(logTicks([-4, 2]).ticktext, ['1e-4', '0.001', '0.01', '0.1', '1', '10', '100']);
    assert.deepEqual(logTicks([0, 2]).ticktext, ['1', '2', '5', '10', '20', '50', '100']);
    assert.deepEqual(logTicks([Math.log10(0.7), Math.log10(0.85)]).ticktext, ['0.7', '0.75', '0.8', '0.85']);
    assert.deepEqual(unitTicks([0, 300], 60, 'min').ticktext, ['0 min', '1 min', '2 min', '3 min', '4 min', '5 min']);
    assert.deepEqual([10, 600, 7200 * 2, 86_400 * 9].map(s => timeUnit(s)[0]), ['s', 'min', 'h', 'd']);
  });
});

void describe('values of runs', () => {
  const runs = [
    runOf('a', { params: { depth: '2', lr: '0.001', model: 'forest' }, metrics: { auc: { last: 0.7, min: 0.5, max: 0.7, step: 3 } } }),
    runOf('b', { params: { depth: '10', lr: '0.1', model: 'tree' }, metrics: { auc: { last: 0.8, min: 0.5, max: 0.8, step: 3 } } }),
    runOf('c', { params: { depth: '6' } })
  ];
  void it('are numbers where they read as numbers', () => {
    assert.deepEqual(['3', '1e-3', ' ', 'x', '', 'Infinity'].map(typedOf), [3, 0.001, ' ', 'x', '', 'Infinity']);
    assert.equal(typedOf(undefined), null);
  });
  void it('lie between the least and the greatest, on a logarithmic axis where ratios count', () => {
    const depth = dimensionOf(runs, 'params.depth');
    assert.deepEqual(runs.map((_, i) => shareOf(depth, depth.values[i] ?? null)), [0, 1, 0.5]);
    const lr = dimensionOf(runs, 'params.lr');
    assert.ok(lr.isLog && Math.abs((shareOf(lr, 0.01) ?? 0) - 0.5) < 1e-12 && shareOf(lr, null) === null);
    assert.ok(Math.abs(numberAt(lr, 0.5) - 0.01) < 1e-12);
  });
  void it('are categories where one is no number', () => {
    const model = dimensionOf(runs, 'params.model');
    assert.deepEqual(model.categories, ['forest', 'tree']);
    assert.deepEqual(model.values.map(value => shareOf(model, value)), [0, 1, null]);
  });
  void it('choose what to draw first', () => {
    assert.deepEqual(scatterChoice(START, runs, ['auc'], ['model', 'depth']), { x: 'params.model', y: 'metrics.auc', color: '' });
    assert.deepEqual(parallelChoice(START, runs, ['auc'], ['depth', 'lr']).axes, ['params.depth', 'params.lr', 'metrics.auc']);
    assert.deepEqual(shownMetrics(['loss', 'b'], { ...START, pinned: ['b', 'gone'] }), ['b', 'loss']);
    assert.deepEqual([hasCurve(runs[0] ?? runOf(''), 'auc'), hasCurve(runOf(''), 'auc')], [true, false]);
  });
});

void describe('comparison', () => {
  const metric = (last: number | null): Run['metrics'][string] => ({ last, min: last, max: last, step: 0 });
  const runs = [
    runOf('a', { params: { depth: '2', seed: '1' }, metrics: { 'val/loss': metric(0.3), auc: metric(0.8) }, tags: { team: 'x', 'mlflow.runName': 'a' } }),
    runOf('b', { params: { depth: '4', seed: '1' }, metrics: { 'val/loss': metric(0.2), auc: metric(0.8) }, tags: { 'mlflow.runName': 'b' } })
  ];
  void it('marks what differs and the best value, less where less is better', () => {
    const rows = Object.fromEntries(rowsOf(runs, {}).map(row => [row.key, row]));
    assert.deepEqual(Object.keys(rows), ['depth', 'seed', 'auc', 'val/loss', 'team']);
    assert.deepEqual(Object.values(rows).map(row => row.differs), [true, false, false, true, true]);
    assert.deepEqual([rows['val/loss']?.best, rows['auc']?.best, rows['team']?.values], [[1], [], ['x', null]]);
  });
  void it('knows by its name which way a metric is better, or that it does not know', () => {
    assert.deepEqual(['val/loss', 'RMSE', 'testError', 'fit_seconds', 'auc', 'val_accuracy', 'top_acc5', 'glossary', 'gradient_norm'].map(betterOf), ['less', 'less', 'less', 'less', 'more', 'more', 'more', null, null]);
  });
  void it('writes CSV that no spreadsheet runs', () => {
    assert.equal(csvOf(['a', 'b'], [['x,"y"', -1.5], ['=cmd()', null], ['-2', NaN]]), 'a,b\r\n"x,""y""",-1.5\r\n\'=cmd(),\r\n-2,NaN\r\n');
  });
  void it('writes names into code as literals', () => {
    assert.equal(literal('a"\n\u2028é'), '"a\\"\\n\\u2028\\u00e9"');
    const code = codeOf({ ...START, smoothing: 0.9, logY: true }, [runOf('a', { name: '"); import os #' })], ['loss'], ['loss'], []);
    assert.ok(code.includes('"a": "\\"); import os #"') && code.includes('.ewm(alpha=0.1).mean()') && code.includes('logy=True'));
  });
});

void describe('colours of charts', () => {
  void it('are read as browsers compute them', () => {
    assert.deepEqual(['rgb(255, 0, 16)', 'color(srgb 1 0.5 0)', 'rgba(0, 0, 0, 0.5)', 'color(srgb 0 0 0 / 0.25)'].map(plainColor), ['#ff0010', '#ff8000', 'rgba(0, 0, 0, 0.5)', 'rgba(0, 0, 0, 0.25)']);
    assert.deepEqual([between('#000000', '#ffffff', 0.5), faint('#102030', 0.5), faint('rgba(1, 2, 3, 0.9)', 0.5)], ['#808080', '#10203080', 'rgba(1, 2, 3, 0.5)']);
  });
  void it('take names as text', () => {
    assert.equal(plain('<a href="x">&'), '&lt;a href="x"&gt;&amp;');
  });
});
