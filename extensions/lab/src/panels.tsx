import type { IThemeManager } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import { CostPanel } from './features/cost/panel';
import { DashboardPanel } from './features/dashboards/frame';
import { DataPanel } from './features/data/panel';
import { DomainPanel } from './features/domain/panel';
import { EndpointPanel } from './features/endpoints/endpoint';
import { EndpointsPanel } from './features/endpoints/panel';
import { EnvironmentsPanel } from './features/environments/panel';
import { ExperimentsPanel } from './features/experiments/panel';
import { RunPanel } from './features/run/run';
import { HomePanel } from './features/home/panel';
import { JobsPanel } from './features/jobs/panel';
import { ModelsPanel } from './features/models/panel';
import { MonitorsPanel } from './features/monitors/panel';
import type { IconName } from './icons';
import type { PanelName } from './tokens';

export interface IPanel {
  icon: IconName;
  title: (trans: TranslationBundle) => string;
  /** One tab for each thing (a run, an endpoint) rather than one tab for all. */
  perItem?: boolean;
  view: (item: string, themes: IThemeManager | null) => JSX.Element;
}

export const PANELS: Record<PanelName, IPanel> = {
  home: { icon: 'home', title: trans => trans.__('Home'), view: item => <HomePanel item={item} /> },
  data: { icon: 'data', title: trans => trans.__('Data'), view: item => <DataPanel item={item} /> },
  experiments: { icon: 'experiments', title: trans => trans.__('Experiments'), view: item => <ExperimentsPanel item={item} /> },
  run: { icon: 'run', title: trans => trans.__('Run'), perItem: true, view: item => <RunPanel item={item} /> },
  jobs: { icon: 'jobs', title: trans => trans.__('Jobs'), view: item => <JobsPanel item={item} /> },
  models: { icon: 'models', title: trans => trans.__('Models'), view: item => <ModelsPanel item={item} /> },
  endpoints: { icon: 'endpoints', title: trans => trans.__('Endpoints'), view: item => <EndpointsPanel item={item} /> },
  endpoint: { icon: 'endpoints', title: trans => trans.__('Endpoint'), perItem: true, view: item => <EndpointPanel item={item} /> },
  monitors: { icon: 'monitors', title: trans => trans.__('Monitors'), view: item => <MonitorsPanel item={item} /> },
  environments: { icon: 'environments', title: trans => trans.__('Environments'), view: item => <EnvironmentsPanel item={item} /> },
  domain: { icon: 'domain', title: trans => trans.__('Domain'), view: item => <DomainPanel item={item} /> },
  cost: { icon: 'cost', title: trans => trans.__('Running & cost'), view: () => <CostPanel /> },
  dashboard: { icon: 'dashboard', title: trans => trans.__('Dashboard'), perItem: true, view: (item, themes) => <DashboardPanel item={item} themes={themes} /> }
};

/** Panels that stand in the left bar, the palette and the launcher, in this order. */
export const ENTRIES: PanelName[] = ['home', 'data', 'experiments', 'jobs', 'models', 'endpoints', 'monitors', 'environments', 'domain', 'cost'];
