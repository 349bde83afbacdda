import type { IStudio, PanelName } from './tokens';

const PANELS: Record<string, PanelName> = {
  runs: 'run',
  run: 'run',
  endpoints: 'endpoint',
  endpoint: 'endpoint',
  monitors: 'monitors',
  monitor: 'monitors',
  alerts: 'monitors',
  alert: 'monitors',
  models: 'models',
  model: 'models',
  model_version: 'models',
  jobs: 'jobs',
  job: 'jobs',
  datasets: 'data',
  dataset: 'data',
  experiments: 'experiments',
  environments: 'environments',
  environment: 'environments'
};

/** Where a link of the server (`runs/<id>`, `endpoints/<name>`, …) leads in this window; null if nowhere. */
export function targetOf(link: string | null, kind = ''): { panel: PanelName; item: string } | null {
  const parts = (link ?? '').replace(/^\/+/, '').split('/');
  const panel = PANELS[parts[0] ?? ''];
  if (panel) {
    // A model may be followed by the number of a version.
    const wanted = panel === 'models' ? parts.slice(1, 3) : parts.slice(1, 2);
    return { panel, item: wanted.map(decodeURIComponent).join('/') };
  }
  const byKind = PANELS[kind];
  return byKind && link ? { panel: byKind, item: link } : null;
}

export function follow(studio: IStudio, link: string | null, kind = ''): void {
  const target = targetOf(link, kind);
  if (target) {
    studio.open(target.panel, target.item);
  }
}
