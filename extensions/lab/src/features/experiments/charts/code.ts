/** The Python that does what is seen. */
import type { Run } from '../../../api/model';
import { ChartsState, parallelChoice, scatterChoice } from './state';
import { splitKey } from './values';

const MOST = 20;

/** Text as a Python literal. */
export function literal(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A notebook cell for the tab in sight; needs mlflow, pandas and, for the drawings, matplotlib. */
export function codeOf(state: ChartsState, runs: readonly Run[], shownMetrics: readonly string[], metrics: readonly string[], params: readonly string[]): string {
  const some = runs.slice(0, MOST);
  if (state.tab === 'curves') {
    return curvesCode(state, some, shownMetrics[0] ?? metrics[0] ?? 'loss');
  }
  const table = tableCode(some);
  if (state.tab === 'scatter') {
    const { x, y, color } = scatterChoice(state, runs, metrics, params);
    return `${table}\nruns = runs.apply(pd.to_numeric, errors="ignore")\nruns.plot.scatter(${[x, y].map(key => literal(columnOf(key))).join(', ')}${color ? `, c=${literal(columnOf(color))}, colormap="viridis"` : ''})`;
  }
  if (state.tab === 'parallel') {
    const { axes, color } = parallelChoice(state, runs, metrics, params);
    return `${table}\n\nimport plotly.express as px\n\npx.parallel_coordinates(runs.apply(pd.to_numeric, errors="ignore"), dimensions=[${axes.map(key => literal(columnOf(key))).join(', ')}]${color ? `, color=${literal(columnOf(color))}` : ''})`;
  }
  const differing = state.differing ? '\ncompared = compared[compared.nunique(axis=1) > 1]' : '';
  return `${table}\n\ncompared = runs.set_index("tags.mlflow.runName").filter(regex="^(params|metrics)").T${differing}\ncompared`;
}

function columnOf(key: string): string {
  const [kind] = splitKey(key);
  return kind === 'run' ? 'end_time' : key;
}

function tableCode(runs: readonly Run[]): string {
  const ids = runs.map(run => `'${run.run_id}'`).join(', ');
  const experiments = [...new Set(runs.map(run => run.experiment_id))].map(literal).join(', ');
  return `import mlflow\nimport pandas as pd\n\nruns = mlflow.search_runs(experiment_ids=[${experiments}], filter_string="attributes.run_id IN (${ids})")`;
}

function curvesCode(state: ChartsState, runs: readonly Run[], metric: string): string {
  const named = runs.map(run => `    ${literal(run.run_id)}: ${literal(run.name)},`).join('\n');
  const index = state.x === 'step' ? 'point.step' : 'pd.Timestamp(point.timestamp, unit="ms")';
  const smooth = state.smoothing > 0 ? `.ewm(alpha=${Number((1 - state.smoothing).toFixed(2))}).mean()` : '';
  const flags = [state.logX && state.x === 'step' ? 'logx=True' : '', state.logY ? 'logy=True' : ''].filter(Boolean);
  return [
    'import mlflow',
    'import pandas as pd',
    '',
    'client = mlflow.MlflowClient()',
    `runs = {\n${named}\n}`,
    'curves = pd.DataFrame({',
    `    name: pd.Series({${index}: point.value for point in client.get_metric_history(run_id, ${literal(metric)})})`,
    '    for run_id, name in runs.items()',
    '})',
    `curves${smooth}.plot(${[`title=${literal(metric)}`, ...flags].join(', ')})`
  ].join('\n');
}
