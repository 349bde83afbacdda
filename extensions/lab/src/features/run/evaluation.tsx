import { useEffect, useState } from 'react';

import type { Evaluation, MatrixCell } from '../../api/model';
import { formatCount, formatMetric, formatPercent } from '../../format';
import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, Drawer, EmptyState, ErrorBox, LineChart, Metric, Section, Skeleton } from '../../ui';
import { RowTable } from '../data/dataset';
import { atThreshold, ratesOf } from './threshold';

/** The confusion matrix at a threshold that can be moved; every cell opens its rows. */
export function EvaluationView({ runId }: { runId: string }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { data, error, refresh } = useResource(`evaluation/${runId}`, client => client.experiments.evaluation(runId), { topics: ['runs'], id: runId });
  const [threshold, setThreshold] = useState<number | null>(null);
  const [cell, setCell] = useState<MatrixCell | null>(null);
  if (!data) {
    if (!error) {
      return <Skeleton rows={6} />;
    }
    if (error.status !== 404) {
      return <ErrorBox error={error} onRetry={() => void refresh()} />;
    }
    return (
      <EmptyState
        icon="run"
        testId={TEST.empty('evaluation')}
        title={trans.__('No evaluation in this run')}
        text={error.hint || trans.__('Log the test rows with their labels and predicted probabilities, and the confusion matrix appears here at any threshold.')}
        code={'from studio.guest import sdk\n\nwith mlflow.start_run():\n    sdk.evaluate(model, X_test, y_test)'}
      />
    );
  }
  const at = threshold ?? data.threshold;
  return (
    <div className="jp-Studio-evaluation">
      <Section
        title={trans.__('Confusion matrix')}
        aside={
          <Button kind="quiet" icon="dashboard" onClick={() => studio.open('dashboard', `evaluation?run=${runId}`)}>
            {trans.__('Open the report')}
          </Button>
        }
      >
        <Matrix data={data} at={at} onCell={setCell} />
        <Threshold data={data} at={at} onChange={setThreshold} />
      </Section>
      <Section title={trans.__('By threshold')}>
        <RateChart data={data} at={at} />
      </Section>
      {cell && <RowsDrawer runId={runId} cell={cell} at={at} label={String(data.positive_label)} onClose={() => setCell(null)} />}
    </div>
  );
}

function Matrix({ data, at, onCell }: { data: Evaluation; at: number; onCell: (cell: MatrixCell) => void }): JSX.Element {
  const { trans } = useStudio();
  const matrix = atThreshold(data, at);
  const total = Math.max(1, matrix.tp + matrix.fp + matrix.fn + matrix.tn);
  const names: Record<MatrixCell, string> = {
    tp: trans.__('true positives'),
    fp: trans.__('false positives'),
    fn: trans.__('false negatives'),
    tn: trans.__('true negatives')
  };
  const cell = (key: MatrixCell): JSX.Element => {
    const wrong = key === 'fp' || key === 'fn';
    const share = Math.round(8 + 46 * Math.sqrt(matrix[key] / total));
    const color = wrong ? 'var(--jp-error-color1)' : 'var(--jp-brand-color1)';
    return (
      <button
        type="button"
        className={`jp-Studio-matrixCell${wrong ? ' jp-mod-wrong' : ''}`}
        style={{ background: `color-mix(in srgb, ${color} ${share}%, transparent)` }}
        title={trans.__('Open these rows')}
        data-testid={TEST.matrixCell(key)}
        onClick={() => onCell(key)}
      >
        <b>{formatCount(matrix[key])}</b>
        <span>{names[key]}</span>
        <small>{formatPercent(matrix[key] / total)}</small>
      </button>
    );
  };
  const rates = ratesOf(matrix);
  return (
    <div className="jp-Studio-matrixBox">
      <div className="jp-Studio-matrix" role="group" aria-label={trans.__('Confusion matrix')}>
        <span />
        <span className="jp-Studio-label">{trans.__('predicted %1', data.positive_label)}</span>
        <span className="jp-Studio-label">{trans.__('predicted not')}</span>
        <span className="jp-Studio-label jp-mod-side">{trans.__('really %1', data.positive_label)}</span>
        {cell('tp')}
        {cell('fn')}
        <span className="jp-Studio-label jp-mod-side">{trans.__('really not')}</span>
        {cell('fp')}
        {cell('tn')}
      </div>
      <div className="jp-Studio-rates">
        <Metric label={trans.__('accuracy')} value={formatMetric(rates.accuracy)} />
        <Metric label={trans.__('precision')} value={formatMetric(rates.precision)} hint={trans.__('Of those predicted %1, how many really were', data.positive_label)} />
        <Metric label={trans.__('recall')} value={formatMetric(rates.recall)} hint={trans.__('Of those that really were %1, how many were found', data.positive_label)} />
        <Metric label={trans.__('F1')} value={formatMetric(rates.f1)} />
        <Metric label={trans.__('AUC')} value={formatMetric(data.auc)} hint={trans.__('Does not depend on the threshold')} />
      </div>
    </div>
  );
}

function Threshold({ data, at, onChange }: { data: Evaluation; at: number; onChange: (at: number) => void }): JSX.Element {
  const { trans } = useStudio();
  const [shown, setShown] = useState(at);
  useEffect(() => setShown(at), [at]);
  return (
    <label className="jp-Studio-threshold">
      <span className="jp-Studio-label">{trans.__('Threshold')}</span>
      <input
        type="range"
        min={0}
        max={1}
        step={0.01}
        value={shown}
        data-testid={TEST.threshold}
        aria-label={trans.__('Threshold for %1', data.positive_label)}
        onChange={event => {
          setShown(Number(event.target.value));
          onChange(Number(event.target.value));
        }}
      />
      <b>{shown.toFixed(2)}</b>
      <span className="jp-Studio-hint">{trans.__('%1 from this probability on', data.positive_label)}</span>
    </label>
  );
}

function RateChart({ data, at }: { data: Evaluation; at: number }): JSX.Element {
  const { trans } = useStudio();
  const rows = [...data.curve].sort((a, b) => a[0] - b[0]).map(([t, tp, fp, fn, tn]) => ({ t, ...ratesOf({ tp, fp, fn, tn }) }));
  const line = (name: string, key: 'precision' | 'recall' | 'f1', hue: number): { name: string; hue: number; points: [number, number][] } => ({
    name,
    hue,
    points: rows.map(row => [row.t, row[key] ?? NaN])
  });
  return (
    <LineChart
      height={240}
      zero
      yMax={1}
      label={trans.__('Precision, recall and F1 by threshold')}
      series={[line(trans.__('precision'), 'precision', 0), line(trans.__('recall'), 'recall', 1), line('F1', 'f1', 2)]}
      markers={[{ x: at, text: trans.__('threshold %1', at.toFixed(2)) }]}
    />
  );
}

function RowsDrawer({ runId, cell, at, label, onClose }: { runId: string; cell: MatrixCell; at: number; label: string; onClose: () => void }): JSX.Element {
  const { trans } = useStudio();
  const { data, error, refresh } = useResource(`evaluation/${runId}/${cell}/${at}`, client => client.experiments.evaluationRows(runId, cell, at), { topics: [] });
  const titles: Record<MatrixCell, string> = {
    tp: trans.__('True positives: predicted %1, and it was', label),
    fp: trans.__('False positives: predicted %1, but it was not', label),
    fn: trans.__('False negatives: really %1, not predicted', label),
    tn: trans.__('True negatives: not %1, and not predicted', label)
  };
  return (
    <Drawer title={titles[cell]} subtitle={data && trans._n('%1 row at threshold %2', '%1 rows at threshold %2', data.rows.length, at.toFixed(2))} width={760} onClose={onClose}>
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton />}
      {data && <RowTable name="evaluation-rows" columns={data.columns} rows={data.rows} ids={data.row_ids} />}
    </Drawer>
  );
}
