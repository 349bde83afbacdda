import { PageConfig } from '@jupyterlab/coreutils';

import { defaultKernel } from './features/environments/kernelspecs';
import type { IStudio } from './tokens';

interface ISharedNotebook {
  readonly cells: readonly { getSource(): string; setSource(source: string): void }[];
  insertCell(index: number, cell: object): unknown;
}

interface INotebookWidget {
  context: { ready: Promise<void>; save(): Promise<void>; model: { sharedModel: ISharedNotebook } };
}

/** Opens a notebook that lies in the lab's files and gives it the focus. */
export async function openNotebook(studio: IStudio, path: string): Promise<void> {
  // JupyterLab asks for a kernel if it does not know the specs yet, or the notebook's own before its content has come.
  const specs = studio.app.serviceManager.kernelspecs;
  await specs.ready;
  await studio.app.commands.execute('docmanager:open', { path, factory: 'Notebook', kernel: { name: defaultKernel(specs.specs) } });
}

/** A new notebook in the person's own folder; with `code` as its first cell. */
export async function newNotebook(studio: IStudio, code = ''): Promise<void> {
  const specs = studio.app.serviceManager.kernelspecs;
  await specs.ready;
  const widget = (await studio.app.commands.execute('notebook:create-new', { cwd: PageConfig.getOption('studioUser'), kernelName: defaultKernel(specs.specs) })) as INotebookWidget | undefined;
  if (widget && code) {
    await widget.context.ready;
    const notebook = widget.context.model.sharedModel;
    const first = notebook.cells[0];
    if (first && first.getSource() === '') {
      first.setSource(code);
    } else {
      notebook.insertCell(0, { cell_type: 'code', source: code, metadata: { trusted: true } });
    }
    await widget.context.save();
  }
}
