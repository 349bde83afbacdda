import type { TranslationBundle } from '@jupyterlab/translation';

import type { WakeTimes } from '../../api/model';
import { formatDuration } from '../../format';

/** How long the next request waits, as it was measured here; in words alone before there was a wake. */
export function wakesIn(times: WakeTimes | undefined, trans: TranslationBundle): string {
  const { warm_ms: warm, cold_ms: cold } = times ?? {};
  if (warm && cold) {
    return trans.__('The next request wakes it: in %1 here, in %2 if its environment must start first.', formatDuration(warm), formatDuration(cold));
  }
  if (warm ?? cold) {
    return trans.__('The next request wakes it: in %1 here.', formatDuration(warm ?? cold));
  }
  return trans.__('The next request wakes it; how fast that is here is shown after the first time.');
}
