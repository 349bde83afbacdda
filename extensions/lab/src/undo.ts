import { Notification } from '@jupyterlab/apputils';

import type { IStudio } from './tokens';

const UNDO_MS = 8000;

let told = '';

/** Says what has changed, with the way back; only the last change can be taken back. */
export function tellWithUndo(studio: IStudio, text: string, undo: () => Promise<unknown>): void {
  if (Notification.manager.has(told)) {
    Notification.dismiss(told);
  }
  told = Notification.info(text, { autoClose: UNDO_MS, actions: [{ label: studio.trans.__('Undo'), callback: () => void undo() }] });
}
