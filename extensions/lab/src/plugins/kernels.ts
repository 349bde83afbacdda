import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { AddPackages, MIME } from '../features/kernels/addpackages';
import { ExitToasts } from '../features/kernels/exits';
import { IStudio } from '../tokens';

/** What kernels say that JupyterLab does not: why one ended, and where packages come from. */
export const kernelsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-studio:kernels',
  description: 'Why a kernel ended, and the way from %pip to the environment.',
  autoStart: true,
  requires: [IStudio],
  optional: [IRenderMimeRegistry],
  activate: (app, studio: IStudio, rendermime: IRenderMimeRegistry | null) => {
    rendermime?.addFactory({ safe: true, mimeTypes: [MIME], createRenderer: () => new AddPackages(app, studio.trans) }, 0);
    let toasts: ExitToasts | null = null;
    const start = (): void => {
      if (studio.session && !toasts) {
        toasts = new ExitToasts(studio);
        studio.sessionChanged.disconnect(start);
      }
    };
    studio.sessionChanged.connect(start);
    start();
    window.addEventListener('pagehide', () => toasts?.dispose(), { once: true });
  }
};
