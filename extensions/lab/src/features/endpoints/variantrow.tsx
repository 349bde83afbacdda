import type { Variant } from '../../api/model';
import { formatCount, formatNumber } from '../../format';
import { useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, StatusPill, Tag, hue } from '../../ui';
import { ShareInput } from './share';

interface IRowProps {
  variant: Variant;
  place: number;
  share: number;
  before: number;
  locked: boolean;
  /** Nothing else answers. */
  alone: boolean;
  mayChange: boolean;
  onShare: (value: number) => void;
  onDialog: (kind: 'limits' | 'remove') => void;
  why?: string;
}

/** One variant: its state, its share as a slider, its processes and figures, how it was loaded. */
export function VariantRow({ variant, place, share, before, locked, alone, mayChange, onShare, onDialog, why }: IRowProps): JSX.Element {
  const { trans } = useStudio();
  const ends = variant.state === 'Retiring';
  const divides = variant.state === 'Serving';
  const atZero = divides && variant.replicas.length > 0 && variant.replicas.every(r => r.state === 'Parked');
  const replicas = variant.replicas.filter(r => r.state === 'Ready').length;
  const range = variant.min_replicas === variant.max_replicas ? `${variant.min_replicas}` : `${variant.min_replicas}–${variant.max_replicas}`;
  return (
    <tr data-testid={TEST.variant(variant.name)} className={ends ? 'jp-mod-leaving' : undefined}>
      <th scope="row">
        <i className="jp-Studio-swatch" style={{ background: place >= 0 ? hue(place) : 'var(--jp-Studio-muted)' }} />
        <span title={`${variant.name} · ${variant.environment} · ${variant.instance_type}`}>{variant.name}</span>
        {variant.name !== `v${variant.version}` && <Tag>{`v${variant.version}`}</Tag>}
        {variant.shadow && <Tag title={trans.__('It gets copies of requests; its answers go to nobody')}>{trans.__('shadow')}</Tag>}
      </th>
      <td>
        <StatusPill state={atZero ? 'Parked' : variant.shadow && divides ? 'Shadowing' : variant.state} title={variant.reason || undefined} />
      </td>
      <td>
        {divides && alone ? (
          trans.__('all of it')
        ) : divides ? (
          <ShareInput name={variant.name} share={share} before={before} locked={locked} suffix={variant.shadow ? trans.__('% copied') : '%'} color={place >= 0 ? hue(place) : undefined} title={why} onChange={onShare} />
        ) : (
          <span className="jp-Studio-hint">{ends ? trans.__('none: it finishes what it has begun') : variant.state === 'Waiting' ? trans.__('none yet') : '–'}</span>
        )}
      </td>
      <td className="jp-mod-right">
        {mayChange && !ends ? (
          <button type="button" className="jp-Studio-link" title={trans.__('%1 answer; it may have %2. Change the limits', replicas, range)} data-testid={TEST.variantReplicas(variant.name)} onClick={() => onDialog('limits')}>
            {trans.__('%1 of %2', replicas, range)}
          </button>
        ) : (
          trans.__('%1 of %2', replicas, range)
        )}
      </td>
      <td className="jp-mod-right">{formatCount(variant.requests)}</td>
      <td className={`jp-mod-right${variant.errors > 0 ? ' jp-Studio-invalidText' : ''}`}>{formatCount(variant.errors)}</td>
      <td className="jp-mod-right">{formatNumber(variant.p99_ms === null ? null : Number(variant.p99_ms.toPrecision(3)))}</td>
      <td>
        <Loaded variant={variant} />
      </td>
      <td>{mayChange && !ends && !(alone && divides) && <Button kind="quiet" icon="trash" title={why ?? trans.__('Remove %1', variant.name)} disabled={Boolean(why)} testId={TEST.variantRemove(variant.name)} onClick={() => onDialog('remove')} />}</td>
    </tr>
  );
}

/** The model's flavour, and whether it is computed by the exact fast path; if not, why. */
function Loaded({ variant }: { variant: Variant }): JSX.Element {
  const { trans } = useStudio();
  const { flavor, fast_path: fast, load_ms: load } = variant.loaded as { flavor?: unknown; fast_path?: unknown; load_ms?: unknown };
  if (typeof flavor !== 'string') {
    return <span className="jp-Studio-hint">–</span>;
  }
  const loaded = typeof load === 'number' ? trans.__('loaded in %1 ms', formatNumber(Number(load.toPrecision(3)))) : undefined;
  return (
    <span className="jp-Studio-inline" title={loaded}>
      {flavor}
      {fast === 'exact' ? (
        <Tag tone="brand" title={trans.__('Computed directly; every bit of the answers is that of the library')}>
          {trans.__('fast path')}
        </Tag>
      ) : (
        typeof fast === 'string' && <span className="jp-Studio-hint" title={fast === 'off' ? undefined : fast}>{fast === 'off' ? trans.__('fast path off') : trans.__('no fast path')}</span>
      )}
    </span>
  );
}
