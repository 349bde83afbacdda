import { ILayoutRestorer, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';

import { AlertToasts } from '../features/monitors/alerts';
import { Sidebar } from '../features/sidebar/sidebar';
import { StatusItem } from '../features/sidebar/status';
import { labIcon } from '../icons';
import { IStudio } from '../tokens';
import { StudioWidget } from '../widget';

/** The left bar. */
export const sidebarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-studio:sidebar',
  description: "Studio's entries in the left bar.",
  autoStart: true,
  requires: [IStudio],
  optional: [ILayoutRestorer],
  activate: (app, studio: IStudio, restorer: ILayoutRestorer | null) => {
    const sidebar = new StudioWidget(studio, () => <Sidebar />);
    sidebar.id = 'jp-Studio-sidebar';
    sidebar.title.icon = labIcon('studio');
    sidebar.title.caption = studio.trans.__('Studio');
    app.shell.add(sidebar, 'left', { rank: 50, type: 'studio' });
    restorer?.add(sidebar, sidebar.id);
    const showFirst = (): void => {
      // The first time in this browser, Studio is what the left bar shows; a Jupyter without Studio is left as it is.
      if (studio.session && !localStorage.getItem(SEEN)) {
        localStorage.setItem(SEEN, 'yes');
        app.shell.activateById(sidebar.id);
      }
    };
    void app.restored.then(() => {
      showFirst();
      studio.sessionChanged.connect(showFirst);
    });
  }
};

const SEEN = 'jupyterlab-studio:seen';

/** Domain, role and isolation in the status bar. */
export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-studio:status',
  description: 'Domain, role and isolation in the status bar.',
  autoStart: true,
  requires: [IStudio],
  optional: [IStatusBar],
  activate: (_, studio: IStudio, statusBar: IStatusBar | null) => {
    const item = new StudioWidget(studio, () => <StatusItem />);
    item.addClass('jp-Studio-statusWidget');
    statusBar?.registerStatusItem('jupyterlab-studio:status', {
      item,
      align: 'left',
      rank: -1,
      isActive: () => studio.session !== null,
      activeStateChanged: studio.sessionChanged as never
    });
  }
};

/** Alerts as notifications that lead to their monitor. */
export const alertsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-studio:alerts',
  description: 'Alerts of monitors as notifications.',
  autoStart: true,
  requires: [IStudio],
  activate: (_, studio: IStudio) => {
    let toasts: AlertToasts | null = null;
    const start = (): void => {
      if (studio.session && !toasts) {
        toasts = new AlertToasts(studio);
        studio.sessionChanged.disconnect(start);
      }
    };
    studio.sessionChanged.connect(start);
    start();
    window.addEventListener('pagehide', () => toasts?.dispose(), { once: true });
  }
};
