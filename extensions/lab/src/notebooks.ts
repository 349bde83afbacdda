import type { IStudio } from './tokens';

interface INotebookWidget {
  context: { ready: Promise<void>; save(): Promise<void>; model: { sharedModel: { insertCell(index: number, cell: object): unknown } } };
}

/** Opens a notebook that lies in the lab's files and gives it the focus. */
export async function openNotebook(studio: IStudio, path: string): Promise<void> {
  await studio.app.commands.execute('docmanager:open', { path, factory: 'Notebook' });
}

/** A new notebook in the folder the file browser shows; with `code` as its first cell. */
export async function newNotebook(studio: IStudio, code = ''): Promise<void> {
  const specs = studio.app.serviceManager.kernelspecs;
  await specs.ready;
  const widget = (await studio.app.commands.execute('notebook:create-new', { kernelName: specs.specs?.default ?? '' })) as INotebookWidget | undefined;
  if (widget && code) {
    await widget.context.ready;
    widget.context.model.sharedModel.insertCell(0, { cell_type: 'code', source: code, metadata: { trusted: true } });
    await widget.context.save();
  }
}
