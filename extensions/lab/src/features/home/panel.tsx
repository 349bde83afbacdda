import { useState } from 'react';

import type { Overview, RecentItem, RunningItem } from '../../api/model';
import { formatBytes, formatMoney } from '../../format';
import { useAction, useResource, useStudio } from '../../hooks';
import { Icon, IconName } from '../../icons';
import { follow } from '../../links';
import { newNotebook, openNotebook } from '../../notebooks';
import { TEST } from '../../testids';
import type { PanelName } from '../../tokens';
import { Ago, Button, ErrorBox, Fade, Link, Panel, Skeleton } from '../../ui';
import { KIND_ICONS, StopAll, StopButton, openRunning } from '../cost/parts';
import { openNewDomain } from '../domain/newdomain';
import { ImportDialog } from './importing';

export function HomePanel({ item }: { item: string }): JSX.Element {
  const { trans, session } = useStudio();
  const { data, error, refresh } = useResource('overview', client => client.home.overview(), {
    topics: ['runs', 'jobs', 'endpoints', 'alerts', 'models', 'datasets', 'running'],
    everyMs: 10000
  });
  const isolation = session?.isolation;
  const isolated = isolation && isolation.level !== 'none' ? trans.__('isolated') : trans.__('not isolated');
  const facts = data && isolation && `${trans.__('%1 cores', data.cores)} · ${Math.round(data.memory_gb)} GB · ${isolated} (${trans.__('network: %1', isolation.network)})`;
  const today = data && (
    <span className="jp-Studio-today" data-testid={TEST.costToday} title={trans.__('Cost of this domain today')}>
      <Fade>{formatMoney(data.cost_today, data.currency)}</Fade> {trans.__('today')}
    </span>
  );
  return (
    <Panel name="home" title={session?.domain ?? ''} icon="domain" subtitle={<span title={isolation?.detail}>{facts}</span>} actions={today}>
      <div className="jp-Studio-home">
        {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
        <Line overview={data} />
        <Start overview={data} imports={item === 'import+'} />
        {data ? (
          <div className="jp-Studio-homeColumns">
            <RunningNow overview={data} refresh={refresh} />
            <Recent items={data.recent} />
          </div>
        ) : (
          !error && <Skeleton rows={6} />
        )}
      </div>
    </Panel>
  );
}

interface IStage {
  key: string;
  name: string;
  icon: IconName;
  count: number | undefined;
  what: string;
  hint: string;
  panel: PanelName;
}

/** Data → Build → Train → Deploy → Monitor; the first stage with nothing in it is the next step. */
function Line({ overview }: { overview: Overview | undefined }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const o = overview;
  const stages: IStage[] = [
    { key: 'data', name: trans.__('Data'), icon: 'data', count: o?.datasets, what: trans._n('data set', 'data sets', o?.datasets ?? 0), hint: trans.__('Register a file'), panel: 'data' },
    { key: 'build', name: trans.__('Build'), icon: 'notebook', count: o?.kernels, what: trans._n('kernel', 'kernels', o?.kernels ?? 0), hint: trans.__('Open a notebook'), panel: 'cost' },
    { key: 'train', name: trans.__('Train'), icon: 'experiments', count: o?.runs, what: trans._n('run', 'runs', o?.runs ?? 0), hint: trans.__('Log a first run'), panel: 'experiments' },
    { key: 'deploy', name: trans.__('Deploy'), icon: 'endpoints', count: o?.endpoints, what: trans._n('endpoint', 'endpoints', o?.endpoints ?? 0), hint: trans.__('Serve a model'), panel: 'endpoints' },
    { key: 'monitor', name: trans.__('Monitor'), icon: 'monitors', count: o?.alerts, what: trans._n('open alert', 'open alerts', o?.alerts ?? 0), hint: o?.alerts ? trans.__('See what moved') : trans.__('Watch for drift'), panel: 'monitors' }
  ];
  const done = [(o?.datasets ?? 0) > 0, (o?.kernels ?? 0) + (o?.runs ?? 0) > 0, (o?.runs ?? 0) > 0, (o?.endpoints ?? 0) > 0, false];
  const next = o ? Math.max(0, done.lastIndexOf(true) + 1) : -1;
  const open = (stage: IStage): void => {
    if (stage.key === 'build' && !stage.count) {
      void newNotebook(studio);
    } else {
      studio.open(stage.panel);
    }
  };
  return (
    <nav className="jp-Studio-line5" aria-label={trans.__('The way from data to a monitored model')}>
      {stages.map((stage, i) => (
        <button
          key={stage.key}
          type="button"
          className={`jp-Studio-stage${i === next ? ' jp-mod-next' : ''}${done[i] ? ' jp-mod-done' : ''}${stage.key === 'monitor' && stage.count ? ' jp-mod-alert' : ''}`}
          data-testid={TEST.stage(stage.key)}
          onClick={() => open(stage)}
        >
          <span className="jp-Studio-stageName">
            <Icon name={stage.icon} />
            {stage.name}
            {i === next && <span className="jp-Studio-next">{trans.__('Next')}</span>}
          </span>
          <span className="jp-Studio-stageCount">
            <b>{stage.count === undefined ? '–' : <Fade>{stage.count}</Fade>}</b> {stage.what}
          </span>
          {i === next && <span className="jp-Studio-hint">{stage.hint}</span>}
        </button>
      ))}
    </nav>
  );
}

function Start({ overview, imports }: { overview: Overview | undefined; imports: boolean }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const isFirst = !overview || overview.runs === 0;
  const [isImporting, setImporting] = useState(imports);
  const example = useAction(async () => {
    const { path } = await studio.client.home.example();
    await openNotebook(studio, path);
  });
  return (
    <div className="jp-Studio-start">
      <button type="button" className={`jp-Studio-example${isFirst ? '' : ' jp-mod-calm'}`} disabled={example.busy} data-testid={TEST.runExample} onClick={() => void example.run()}>
        <Icon name="play" size={20} />
        <span>
          <b>{example.busy ? trans.__('Opening the notebook…') : trans.__('Run the example')}</b>
          <small>{trans.__('Seattle weather: train three models, deploy the best, watch it drift. About 5 minutes.')}</small>
        </span>
      </button>
      <div className="jp-Studio-startMore">
        <Button icon="notebook" testId={TEST.newNotebook} onClick={() => void newNotebook(studio)}>
          {trans.__('New notebook')}
        </Button>
        <Button icon="data" testId={TEST.bringData} onClick={() => studio.open('data', '+')}>
          {trans.__('Bring my data')}
        </Button>
        <Button icon="download" testId={TEST.importMlflow} onClick={() => setImporting(true)}>
          {trans.__('Import from MLflow')}
        </Button>
        {studio.session?.operates && (
          <Button icon="plus" testId={TEST.newDomain} onClick={() => openNewDomain(studio)}>
            {trans.__('New domain')}
          </Button>
        )}
      </div>
      {isImporting && <ImportDialog onClose={() => setImporting(false)} />}
      {example.error && <ErrorBox error={example.error} onRetry={() => void example.run()} />}
    </div>
  );
}

function RunningNow({ overview, refresh }: { overview: Overview; refresh: () => Promise<void> }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const [all, setAll] = useState(false);
  // Fork servers are how, not what: they cost nothing and are listed under Running & cost.
  const items = overview.running.filter(item => item.kind !== 'fork server');
  const shown = all ? items : items.slice(0, 8);
  return (
    <section className="jp-Studio-section" data-testid={TEST.homeRunning}>
      <header>
        <h3>{trans.__('Running now')}</h3>
        {items.some(item => item.stoppable) && <StopAll count={items.filter(item => item.stoppable).length} onDone={refresh} />}
      </header>
      {items.length === 0 && <p className="jp-Studio-hint">{trans.__('Nothing runs, nothing costs.')}</p>}
      <ul className="jp-Studio-plainList">
        {shown.map(item => (
          <RunningLine key={item.id} item={item} currency={overview.currency} refresh={refresh} />
        ))}
      </ul>
      {items.length > shown.length && <Link onClick={() => setAll(true)}>{trans.__('Show all %1', items.length)}</Link>}
    </section>
  );
}

function RunningLine({ item, currency, refresh }: { item: RunningItem; currency: string; refresh: () => Promise<void> }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  return (
    <li>
      <span className="jp-Studio-liveDot" title={trans.__('Running')} />
      <span className="jp-Studio-lineTitle" title={item.name}>
        <Link onClick={() => openRunning(studio, item)}>{item.name}</Link>
      </span>
      <span className="jp-Studio-kind">{item.kind}</span>
      <span className="jp-Studio-number">{formatBytes(item.memory_bytes)}</span>
      <span className="jp-Studio-number">{item.price_per_hour ? `${formatMoney(item.price_per_hour, currency)}/h` : trans.__('free')}</span>
      <span className="jp-Studio-lineAct">{item.stoppable && <StopButton item={item} onDone={refresh} />}</span>
    </li>
  );
}

function Recent({ items }: { items: RecentItem[] }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  return (
    <section className="jp-Studio-section" data-testid={TEST.homeRecent}>
      <header>
        <h3>{trans.__('Recent')}</h3>
      </header>
      {items.length === 0 && <p className="jp-Studio-hint">{trans.__('What happens in this domain appears here.')}</p>}
      <ul className="jp-Studio-plainList jp-mod-recent">
        {items.slice(0, 8).map(item => (
          <li key={`${item.kind}${item.title}${item.at_ms}`}>
            <span className="jp-Studio-kindIcon" title={item.kind}>
              <Icon name={KIND_ICONS[item.kind] ?? 'clock'} size={14} />
            </span>
            <span className="jp-Studio-lineTitle" title={item.title}>
              {item.link ? <Link onClick={() => follow(studio, item.link, item.kind)}>{item.title}</Link> : item.title}
            </span>
            <span className="jp-Studio-lineDetail" title={item.detail}>
              {item.detail}
            </span>
            <Ago at={item.at_ms} />
          </li>
        ))}
      </ul>
    </section>
  );
}
