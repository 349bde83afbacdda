import type { JupyterFrontEnd } from '@jupyterlab/application';

import type { IStudio } from '../../tokens';
import { openNewDomain } from './newdomain';
import { sectionGroups } from './sections';

/** A command for each part of the domain's page, and for what is done there most; returns their ids. */
export function addDomainCommands(app: JupyterFrontEnd, studio: IStudio): string[] {
  const { trans } = studio;
  const ids: string[] = [];
  const add = (id: string, label: string, execute: () => void): void => {
    app.commands.addCommand(id, { label, describedBy: { args: { type: 'object', properties: {} } }, isEnabled: () => studio.session !== null, execute });
    ids.push(id);
  };
  for (const { name, title } of sectionGroups(trans).flatMap(group => group.sections)) {
    add(`studio:domain-${name}`, trans.__('Domain: %1', title), () => studio.open('domain', name));
  }
  add('studio:domain-add-member', trans.__('Add a member'), () => studio.open('domain', 'members+'));
  add('studio:domain-create-key', trans.__('Create an access key'), () => studio.open('domain', 'keys+'));
  add('studio:domain-add-rule', trans.__('Add a rule to the policy'), () => studio.open('domain', 'policy+'));
  add('studio:domain-snapshot', trans.__('Take a snapshot'), () => studio.open('domain', 'volume+'));
  add('studio:domain-new-space', trans.__('New space'), () => studio.open('domain', 'spaces+'));
  add('studio:domain-new', trans.__('New domain'), () => openNewDomain(studio));
  return ids;
}
