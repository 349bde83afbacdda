/** Whether less of a metric is better, by its name; what is not known counts as the more the better. */
const LESS = /(^|[_/\-. ])(loss|losses|error|err|rmse|mse|mae|mape|msle|perplexity|ppl|logloss|brier|wer|cer|fid|latency|time|duration|seconds|ms|deviance|nll|regret)([_/\-. ]|$)/i;

export function isLessBetter(metric: string): boolean {
  return LESS.test(metric.replace(/([a-z])([A-Z])/g, '$1_$2'));
}
