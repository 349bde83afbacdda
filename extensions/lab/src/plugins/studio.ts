import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Studio } from '../studio';
import { IStudio } from '../tokens';

/** Provides session, client and event stream to every other plugin. */
export const studioPlugin: JupyterFrontEndPlugin<IStudio> = {
  id: 'jupyterlab-studio:studio',
  description: "Studio's session, client and event stream.",
  autoStart: true,
  optional: [ITranslator, IRenderMimeRegistry],
  provides: IStudio,
  activate: (app, translator: ITranslator | null, rendermime: IRenderMimeRegistry | null) => {
    const studio = new Studio(app, (translator ?? nullTranslator).load('jupyterlab_studio'), rendermime);
    void studio.connect();
    return studio;
  }
};
