import { ILabShell, ILayoutRestorer, JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IThemeManager, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { Fragment, createElement } from 'react';

import { addDomainCommands } from '../features/domain/commands';
import { addEnvironmentCommands } from '../features/environments/commands';
import { followEnvironments } from '../features/environments/kernelspecs';
import { RUN_COMMANDS, addRunCommands } from '../features/experiments/commands';
import { labIcon } from '../icons';
import { newNotebook, openNotebook } from '../notebooks';
import { ENTRIES, PANELS } from '../panels';
import { OPEN } from '../studio';
import { IStudio, PanelName } from '../tokens';
import { StudioWidget } from '../widget';

const CATEGORY = 'Studio';
const ID = 'jupyterlab-studio:panels';

interface IOpened {
  panel: PanelName;
  item: string;
  turn: number;
}

/** The end of an item that asks for an act (a dialog); it is not restored. */
const ACT = /\+$/;

/** Main-area panels: one command opens each, the layout restorer brings them back. */
export const panelsPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: "Studio's panels and the commands that open them.",
  autoStart: true,
  requires: [IStudio],
  optional: [ICommandPalette, ILayoutRestorer, IThemeManager, ILabShell, ISettingRegistry],
  activate: (app, studio: IStudio, palette: ICommandPalette | null, restorer: ILayoutRestorer | null, themes: IThemeManager | null, shell: ILabShell | null, settings: ISettingRegistry | null) => {
    const panels = new Panels(app, studio, themes);
    app.commands.addCommand(OPEN, {
      label: args => PANELS[panelOf(args['panel'])].title(studio.trans),
      icon: args => labIcon(PANELS[panelOf(args['panel'])].icon),
      caption: studio.trans.__('Open a panel of Studio'),
      describedBy: { args: { type: 'object', properties: { panel: { type: 'string' }, item: { type: 'string' } } } },
      execute: args => panels.open(panelOf(args['panel']), typeof args['item'] === 'string' ? args['item'] : '', args['activate'] !== false)
    });
    addCommands(app, studio);
    addRunCommands(app, studio);
    followEnvironments(studio);
    const domainCommands = [...addDomainCommands(app, studio), ...addEnvironmentCommands(app, studio)];
    for (const panel of ENTRIES) {
      palette?.addItem({ command: `studio:open-${panel}`, category: CATEGORY });
    }
    for (const command of ['studio:run-example', 'studio:register-data', 'studio:deploy', 'studio:open-dashboards', 'studio:new-notebook', 'studio:import-mlflow', ...RUN_COMMANDS, ...domainCommands]) {
      palette?.addItem({ command, category: CATEGORY });
    }
    if (restorer) {
      void restorer.restore(panels.tracker, {
        command: OPEN,
        args: widget => panels.argsOf(widget.id),
        name: widget => widget.id
      });
    }
    void openHomeFirst(app, studio, shell, settings).then(() => openLinked(studio));
  }
};

function panelOf(value: unknown): PanelName {
  return typeof value === 'string' && value in PANELS ? (value as PanelName) : 'home';
}

function addCommands(app: JupyterFrontEnd, studio: IStudio): void {
  const { trans } = studio;
  for (const panel of ENTRIES) {
    app.commands.addCommand(`studio:open-${panel}`, {
      label: PANELS[panel].title(trans),
      caption: trans.__('Open %1', PANELS[panel].title(trans)),
      icon: labIcon(PANELS[panel].icon),
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => studio.open(panel)
    });
  }
  const add = (id: string, label: string, execute: () => void | Promise<void>): void => {
    app.commands.addCommand(id, { label, describedBy: { args: { type: 'object', properties: {} } }, isEnabled: () => studio.session !== null, execute });
  };
  add('studio:run-example', trans.__('Run the example'), async () => {
    const { path } = await studio.client.home.example();
    await openNotebook(studio, path);
  });
  add('studio:register-data', trans.__('Register a data set'), () => studio.open('data', '+'));
  add('studio:deploy', trans.__('Deploy a model'), () => studio.open('endpoints', '+'));
  add('studio:import-mlflow', trans.__('Import from MLflow'), () => studio.open('home', 'import+'));
  add('studio:open-dashboards', trans.__('Compare runs (dashboard)'), () => studio.open('dashboard', 'compare'));
  add('studio:new-notebook', trans.__('New notebook'), () => newNotebook(studio));
}

/** Home comes first where nothing else is open; a Jupyter without Studio is left as it is. */
async function openHomeFirst(app: JupyterFrontEnd, studio: IStudio, shell: ILabShell | null, settings: ISettingRegistry | null): Promise<void> {
  await Promise.all([app.restored, shell?.restored]);
  const wanted = settings ? await settings.get(ID, 'openHome').then(setting => setting.composite !== false, () => true) : true;
  if (!studio.session) {
    await new Promise<void>(resolve => {
      const onSession = (): void => {
        if (studio.session) {
          studio.sessionChanged.disconnect(onSession);
          resolve();
        }
      };
      studio.sessionChanged.connect(onSession);
    });
  }
  const open = [...app.shell.widgets('main')].filter(widget => !widget.id.startsWith('launcher'));
  if (wanted && open.length === 0) {
    studio.open('home');
  }
}

/** What the page's address asks for, once: `?studio=experiments&item=…`. */
function openLinked(studio: IStudio): void {
  const address = new URL(window.location.href);
  const panel = address.searchParams.get('studio') ?? '';
  if (!studio.session || !(panel in PANELS)) {
    return;
  }
  studio.open(panel as PanelName, address.searchParams.get('item') ?? '');
  address.searchParams.delete('studio');
  address.searchParams.delete('item');
  window.history.replaceState(null, '', address);
}

class Panels {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly studio: IStudio,
    private readonly themes: IThemeManager | null
  ) {}

  readonly tracker = new WidgetTracker<MainAreaWidget<StudioWidget>>({ namespace: 'jupyterlab-studio' });
  readonly opened = new Map<string, IOpened>();

  async open(panel: PanelName, item: string, activate: boolean): Promise<MainAreaWidget<StudioWidget>> {
    const definition = PANELS[panel];
    const id = definition.perItem ? `jp-Studio-${panel}-${item}` : `jp-Studio-${panel}`;
    let widget = this.tracker.find(candidate => candidate.id === id);
    if (widget) {
      if (![...this.app.shell.widgets('main')].includes(widget)) {
        // Restored by the tracker, but with no place in the layout that was saved: without this it could not be opened.
        this.app.shell.add(widget, 'main', { mode: 'tab-after', activate, type: 'studio' });
      }
      if (item) {
        // Asked for again by name: drawn anew with it, whatever was chosen in the panel meanwhile.
        this.opened.set(id, { panel, item, turn: (this.opened.get(id)?.turn ?? 0) + 1 });
        widget.content.update();
        await this.tracker.save(widget);
      }
    } else {
      widget = this.make(id, panel, item);
      this.app.shell.add(widget, 'main', { mode: 'tab-after', activate, type: 'studio' });
      await this.tracker.add(widget);
    }
    if (activate) {
      this.app.shell.activateById(id);
    }
    return widget;
  }

  /** What opens the panel again in a restored layout. */
  argsOf(id: string): { panel: PanelName; item: string; activate: boolean } {
    const { panel, item } = this.opened.get(id) ?? { panel: 'home', item: '' };
    return { panel, item: item.replace(ACT, ''), activate: false };
  }

  private make(id: string, panel: PanelName, item: string): MainAreaWidget<StudioWidget> {
    const definition = PANELS[panel];
    this.opened.set(id, { panel, item, turn: 0 });
    const content = new StudioWidget(this.studio, () => {
      const opened = this.opened.get(id);
      return createElement(Fragment, { key: opened?.turn }, definition.view(opened?.item ?? '', this.themes));
    });
    const widget = new MainAreaWidget({ content });
    const name = definition.title(this.studio.trans);
    widget.id = id;
    widget.title.icon = labIcon(definition.icon);
    widget.title.label = definition.perItem ? labelOf(panel, item, name) : name;
    widget.title.caption = definition.perItem ? `${name} ${item}` : name;
    widget.title.closable = true;
    widget.toolbar.hide();
    widget.disposed.connect(() => this.opened.delete(id));
    if (panel === 'run') {
      void this.nameRun(widget, item);
    }
    return widget;
  }

  /** The tab of a run carries its name, which only the server knows. */
  private async nameRun(widget: MainAreaWidget<StudioWidget>, id: string): Promise<void> {
    const name = async (): Promise<void> => {
      if (!this.studio.session || widget.isDisposed) {
        return;
      }
      this.studio.sessionChanged.disconnect(onSession);
      const run = await this.studio.client.experiments.run(id).catch(() => null);
      if (run && !widget.isDisposed) {
        widget.title.label = run.name;
      }
    };
    const onSession = (): void => void name();
    this.studio.sessionChanged.connect(onSession);
    widget.disposed.connect(() => this.studio.sessionChanged.disconnect(onSession));
    await name();
  }
}

function labelOf(panel: PanelName, item: string, name: string): string {
  if (panel === 'dashboard') {
    return `${name}: ${item.split('?')[0]}`;
  }
  return panel === 'run' ? item.slice(0, 8) : item;
}
