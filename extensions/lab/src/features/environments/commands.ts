import type { JupyterFrontEnd } from '@jupyterlab/application';

import type { IStudio } from '../../tokens';
import { itemOf } from './words';

/** What is done to environments from elsewhere: a kernel's `%pip` leads to the first. Returns those for the palette. */
export function addEnvironmentCommands(app: JupyterFrontEnd, studio: IStudio): string[] {
  const { trans } = studio;
  const isEnabled = (): boolean => studio.session !== null;
  app.commands.addCommand('studio:environments-add', {
    label: trans.__('Add packages to an environment'),
    describedBy: { args: { type: 'object', properties: { environment: { type: 'string' }, packages: { type: 'array', items: { type: 'string' } } } } },
    isEnabled,
    execute: args => {
      const given = Array.isArray(args['packages']) ? args['packages'] : [];
      const packages = given.filter((name): name is string => typeof name === 'string');
      studio.open('environments', itemOf(typeof args['environment'] === 'string' ? args['environment'] : '', packages));
    }
  });
  app.commands.addCommand('studio:environments-new', {
    label: trans.__('New environment'),
    describedBy: { args: { type: 'object', properties: {} } },
    isEnabled,
    execute: () => studio.open('environments', '+')
  });
  return ['studio:environments-new', 'studio:environments-add'];
}
