import type { JupyterFrontEnd } from '@jupyterlab/application';

import type { IStudio } from '../../tokens';

/** What the panel does once it is there, asked for by a command. */
export type Act = 'new' | 'filter' | 'export' | 'save';

export const RUN_COMMANDS = ['studio:new-experiment', 'studio:filter-runs', 'studio:deleted-runs', 'studio:export-runs', 'studio:save-run-view'];

export function addRunCommands(app: JupyterFrontEnd, studio: IStudio): void {
  const { trans } = studio;
  const add = (id: string, label: string, item: string): void => {
    app.commands.addCommand(id, {
      label,
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => studio.session !== null,
      execute: () => studio.open('experiments', item)
    });
  };
  add('studio:new-experiment', trans.__('New experiment'), 'act=new');
  add('studio:filter-runs', trans.__('Filter runs'), 'act=filter');
  add('studio:deleted-runs', trans.__('Deleted runs'), 'deleted=yes');
  add('studio:export-runs', trans.__('Export runs as CSV'), 'act=export');
  add('studio:save-run-view', trans.__('Save a view of the runs'), 'act=save');
}

/** The act in what a command asks for. */
export function actOf(item: string): Act | null {
  const act = item.includes('=') ? new URLSearchParams(item).get('act') : null;
  return act === 'new' || act === 'filter' || act === 'export' || act === 'save' ? act : null;
}
