import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Studio } from '../studio';
import { IStudio } from '../tokens';

/** Provides session, client and event stream to every other plugin. */
export const studioPlugin: JupyterFrontEndPlugin<IStudio> = {
  id: 'jupyterlab-studio:studio',
  description: "Studio's session, client and event stream.",
  autoStart: true,
  optional: [ITranslator],
  provides: IStudio,
  activate: (app, translator: ITranslator | null) => {
    const studio = new Studio(app, (translator ?? nullTranslator).load('jupyterlab_studio'));
    void studio.connect();
    return studio;
  }
};
