import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { TEST } from '../../testids';
import { wantedOf } from './wanted';

/** What a kernel answers `%pip install` with. */
export const MIME = 'application/vnd.studio.add-packages+json';
export const ADD = 'studio:environments-add';

/**
 * A button that opens Environments with the packages filled in. What comes from a kernel is text and nothing else: the
 * command is fixed, and nothing happens without a click here and another in the dialog.
 */
export class AddPackages extends Widget implements IRenderMime.IRenderer {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Studio');
    this.addClass('jp-Studio-addPackages');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const { environment, packages, line } = wantedOf(model.data[MIME]);
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'jp-Studio-button jp-mod-primary';
    button.dataset.testid = TEST.addPackages;
    button.textContent = packages.length ? this.trans.__('Add %1 to the environment %2', packages.join(', '), environment) : this.trans.__('Open environments');
    button.addEventListener('click', () => this.open(environment, packages));
    const code = document.createElement('pre');
    code.className = 'jp-Studio-addPackagesLine';
    code.textContent = line;
    this.node.replaceChildren(button, ...(line ? [code] : []));
    return Promise.resolve();
  }

  private open(environment: string, packages: string[]): void {
    const { commands } = this.app;
    if (packages.length && commands.hasCommand(ADD)) {
      void commands.execute(ADD, { environment, packages });
    } else {
      void commands.execute('studio:open-environments');
    }
  }
}
