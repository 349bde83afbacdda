import type { LineageNode } from '../../api/model';
import { useResource, useStudio } from '../../hooks';
import { Icon, IconName } from '../../icons';
import { TEST } from '../../testids';
import type { PanelName } from '../../tokens';
import { ErrorBox, Skeleton, StatusPill } from '../../ui';
import type { ILineageOf } from './client';
import { HEIGHT, WIDTH, layOut } from './layout';

const LOOKS: Record<string, { icon: IconName; panel: PanelName }> = {
  dataset: { icon: 'data', panel: 'data' },
  run: { icon: 'run', panel: 'run' },
  version: { icon: 'models', panel: 'models' },
  endpoint: { icon: 'endpoints', panel: 'endpoint' }
};

/** Data set → run → version → endpoint; a click on a thing opens it. */
export function LineageGraph({ of }: { of: ILineageOf }): JSX.Element {
  const { trans } = useStudio();
  const key = `lineage/${of.kind}/${of.name}/${of.version ?? ''}`;
  const { data, error, refresh } = useResource(key, client => client.lineage.of(of), { topics: ['runs', 'models', 'endpoints'] });
  if (!data) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton />;
  }
  const graph = layOut(data);
  const has = new Set(data.nodes.map(node => node.kind));
  const missing = [
    !has.has('dataset') && trans.__('No data set was logged: mlflow.log_input in the run says what it learnt from.'),
    !has.has('version') && trans.__('Nothing of it is registered yet.'),
    has.has('version') && !has.has('endpoint') && trans.__('No endpoint serves it.'),
    data.cut && trans.__('Older ones are left out.')
  ].filter(Boolean);
  return (
    <div className="jp-Studio-lineage" data-testid={TEST.lineage}>
      <div className="jp-Studio-lineageCanvas" style={{ width: graph.width, height: graph.height }}>
        <svg width={graph.width} height={graph.height} aria-hidden="true">
          {graph.links.map(link => (
            <path key={link.key} d={link.path} className={link.strong ? 'jp-mod-strong' : undefined}>
              {link.label && <title>{link.label}</title>}
            </path>
          ))}
        </svg>
        {graph.nodes.map(node => (
          <Thing key={node.id} node={node} focus={node.focus} x={node.x} y={node.y} />
        ))}
      </div>
      {missing.length > 0 && <p className="jp-Studio-hint">{missing.join(' ')}</p>}
    </div>
  );
}

function Thing({ node, focus, x, y }: { node: LineageNode; focus: boolean; x: number; y: number }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const look = LOOKS[node.kind] ?? { icon: 'file', panel: 'home' };
  const kinds: Record<string, string> = {
    dataset: trans.__('Data set'),
    run: trans.__('Run'),
    version: trans.__('Version'),
    endpoint: trans.__('Endpoint')
  };
  return (
    <button
      type="button"
      className={`jp-Studio-lineageNode${focus ? ' jp-mod-focus' : ''}`}
      style={{ left: x, top: y, width: WIDTH, height: HEIGHT }}
      title={node.item ? trans.__('Open %1', node.name) : trans.__('%1 is known from runs only; register it under this name to see its columns.', node.name)}
      disabled={!node.item}
      data-testid={TEST.lineageNode(node.id)}
      onClick={() => studio.open(look.panel, node.item)}
    >
      <Icon name={look.icon} size={16} />
      <span>
        <b>{node.name}</b>
        <small>{[kinds[node.kind], node.detail].filter(Boolean).join(' · ')}</small>
      </span>
      {node.state && <StatusPill state={node.state} compact />}
    </button>
  );
}
