import type { KernelSpec } from '@jupyterlab/services';

import type { IChange } from '../../events';
import type { IStudio } from '../../tokens';

/** Studio writes kernelspecs within moments after an environment is ready; a build says many things before. */
const QUIET_MS = 1500;

/** Kernels that one can choose follow the environments at once: JupyterLab itself looks once a minute. */
export function followEnvironments(studio: IStudio): void {
  let timer = 0;
  const refresh = (): void => void studio.app.serviceManager.kernelspecs.refreshSpecs().catch(() => undefined);
  const onChanged = (_: unknown, { topic }: IChange): void => {
    if (topic === 'environments') {
      window.clearTimeout(timer);
      timer = window.setTimeout(refresh, QUIET_MS);
    }
  };
  const begin = (): void => {
    if (studio.session) {
      studio.sessionChanged.disconnect(begin);
      studio.events.changed.connect(onChanged);
    }
  };
  studio.sessionChanged.connect(begin);
  begin();
}

/** What a new notebook begins with: the domain's choice, which its kernelspec says of itself. */
export function defaultKernel(specs: KernelSpec.ISpecModels | null): string {
  const chosen = Object.values(specs?.kernelspecs ?? {}).find(spec => isDefault(spec?.metadata?.['environment']));
  return chosen?.name ?? specs?.default ?? '';
}

function isDefault(environment: unknown): boolean {
  return typeof environment === 'object' && environment !== null && (environment as Record<string, unknown>)['default'] === true;
}
