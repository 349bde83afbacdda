/** Which way a metric is better, by the words of its name. Where none is known, nothing is called better. */
const LESS = wordsOf('loss losses error err rmse mse mae mape msle perplexity ppl logloss brier wer cer fid latency time duration seconds ms deviance nll regret');
const MORE = wordsOf('auc acc accuracy f1 precision recall r2 score mcc ndcg map bleu rouge iou dice kappa reward return specificity sensitivity');

function wordsOf(list: string): RegExp {
  return new RegExp(`(^|[_/. -])(${list.split(' ').join('|')})([_/. \\d-]|$)`, 'i');
}

export function betterOf(metric: string): 'less' | 'more' | null {
  const words = metric.replace(/([a-z])([A-Z])/g, '$1_$2');
  return LESS.test(words) ? 'less' : MORE.test(words) ? 'more' : null;
}
