import type { IThemeManager } from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import { useEffect, useState } from 'react';

import { useStudio } from '../../hooks';
import { StudioError } from '../../request';
import { TEST } from '../../testids';
import { EmptyState, ErrorBox } from '../../ui';

/** Address of a dashboard page below the lab, embedded and in the lab's theme. `item` is `page?query`. */
export function dashboardUrl(base: string, item: string, isLight: boolean): string {
  const [page = '', query = ''] = item.split('?');
  const params = new URLSearchParams(query);
  params.set('embed', 'true');
  params.set('embed_options', isLight ? 'light_theme' : 'dark_theme');
  return `${URLExt.join(base, 'studio/dashboards/', page)}?${params.toString()}`;
}

function useIsLight(themes: IThemeManager | null): boolean {
  const read = (): boolean => !themes?.theme || themes.isLight(themes.theme);
  const [isLight, setIsLight] = useState(read);
  useEffect(() => {
    const update = (): void => setIsLight(!themes?.theme || themes.isLight(themes.theme));
    themes?.themeChanged.connect(update);
    update();
    return () => {
      themes?.themeChanged.disconnect(update);
    };
  }, [themes]);
  return isLight;
}

/** A dashboard page in a frame; it starts at first use, which takes a moment that is said. */
export function DashboardPanel({ item, themes }: { item: string; themes: IThemeManager | null }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const isLight = useIsLight(themes);
  const url = dashboardUrl(studio.app.serviceManager.serverSettings.baseUrl, item || 'compare', isLight);
  const [state, setState] = useState<'starting' | 'ready' | 'failed'>('starting');
  const [status, setStatus] = useState(0);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setState('starting');
    fetch(url, { credentials: 'same-origin', signal: abort.signal }).then(
      response => {
        setStatus(response.status);
        setState(response.ok ? 'ready' : 'failed');
      },
      () => !abort.signal.aborted && setState('failed')
    );
    return () => abort.abort();
  }, [url, turn]);
  if (state === 'failed') {
    const hint = status === 404 ? trans.__('This lab has no dashboards behind it.') : trans.__('Try again in a moment; `studio logs` on the host has the reason.');
    return (
      <div className="jp-Studio-away">
        <ErrorBox error={new StudioError(status, 'DASHBOARDS', trans.__('The dashboards did not start.'), hint)} onRetry={() => setTurn(turn + 1)} />
      </div>
    );
  }
  if (state === 'starting') {
    return <EmptyState icon="dashboard" title={trans.__('Starting the dashboards')} text={trans.__('They start at first use; this takes a second or two.')} />;
  }
  return <iframe className="jp-Studio-frame" src={url} title={trans.__('Dashboard')} data-testid={TEST.dashboard} sandbox="allow-same-origin allow-scripts allow-downloads allow-forms allow-popups" />;
}
