import { useState } from 'react';

import type { Endpoint, Variant } from '../../api/model';
import { formatCount, formatNumber } from '../../format';
import { useAction, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ConfirmDialog, ErrorBox, Section, StatusPill, Tag, hue } from '../../ui';
import { LimitsDialog } from './limits';
import { VariantDialog } from './newvariant';
import { ShareInput } from './share';
import { Split, isSame, moved, percentText, splitOf } from './split';

interface IVariantsProps {
  endpoint: Endpoint;
  mayChange: boolean;
  onChanged: () => Promise<void>;
}

type Dialog = { kind: 'add' | 'shadow' } | { kind: 'limits' | 'remove'; variant: Variant };

/** Who answers, and with how much of the traffic: weights are moved together and applied at once. */
export function Variants({ endpoint, mayChange, onChanged }: IVariantsProps): JSX.Element {
  const { trans, client } = useStudio();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [edited, setEdited] = useState<Split | null>(null);
  const [copies, setCopies] = useState<Split>({});
  const now = splitOf(endpoint.variants);
  // A variant that came or went meanwhile ends what was begun here: its shares are no longer those of all.
  const typed = edited && Object.keys(edited).sort().join() === Object.keys(now).sort().join() ? edited : null;
  const shown = typed ?? now;
  const shadows = endpoint.variants.filter(v => v.shadow && copies[v.name] !== undefined && copies[v.name] !== v.weight);
  const isChanged = (typed !== null && !isSame(typed, now)) || shadows.length > 0;
  const locked = !mayChange || endpoint.rollout !== null;
  const forget = (): void => {
    setEdited(null);
    setCopies({});
  };
  const apply = useAction(async () => {
    const weights = { ...(typed ?? {}), ...Object.fromEntries(shadows.map(v => [v.name, copies[v.name] ?? v.weight])) };
    await client.endpoints.setWeights(endpoint.name, weights);
    await onChanged();
    forget();
  });
  const done = async (): Promise<void> => {
    setDialog(null);
    await onChanged();
  };
  const why = endpoint.rollout !== null ? trans.__('Its traffic is being shifted: wait, or undo the shift.') : undefined;
  const actions = mayChange && (
    <div className="jp-Studio-actions">
      <Button icon="plus" disabled={locked} title={why} testId={TEST.variantAdd('variant')} onClick={() => setDialog({ kind: 'add' })}>
        {trans.__('Add variant')}
      </Button>
      <Button icon="copy" disabled={locked} title={why ?? trans.__('It gets copies of requests and answers nobody')} testId={TEST.variantAdd('shadow')} onClick={() => setDialog({ kind: 'shadow' })}>
        {trans.__('Add shadow')}
      </Button>
    </div>
  );
  return (
    <Section title={trans.__('Variants')} aside={actions}>
      {endpoint.variants.length === 0 ? (
        <p className="jp-Studio-hint">{trans.__('No version has been started yet.')}</p>
      ) : (
        <>
          {Object.keys(shown).length > 1 && <SplitBar split={shown} />}
          <div className="jp-Studio-variantsBox">
            <table className="jp-Studio-variants" aria-label={trans.__('Variants')}>
              <Head />
              <tbody>
                {endpoint.variants.map((variant, i) => (
                  <Row
                    key={variant.state === 'Retiring' ? `${variant.name}/${i}` : variant.name}
                    variant={variant}
                    place={Object.keys(shown).indexOf(variant.name)}
                    share={variant.shadow ? (copies[variant.name] ?? variant.weight) : (shown[variant.name] ?? variant.share)}
                    before={variant.shadow ? variant.weight : (now[variant.name] ?? variant.share)}
                    locked={locked}
                    alone={!variant.shadow && Object.keys(shown).length < 2}
                    mayChange={mayChange}
                    onShare={value => (variant.shadow ? setCopies({ ...copies, [variant.name]: value }) : setEdited(moved(shown, variant.name, value)))}
                    onDialog={kind => setDialog({ kind, variant })}
                    why={why}
                  />
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
      {isChanged && (
        <div className="jp-Studio-splitApply" data-testid={TEST.split}>
          <Button kind="primary" disabled={apply.busy || locked} testId={TEST.splitApply} onClick={() => void apply.run()}>
            {apply.busy ? trans.__('Applying…') : trans.__('Apply')}
          </Button>
          <Button disabled={apply.busy} testId={TEST.splitCancel} onClick={forget}>
            {trans.__('Cancel')}
          </Button>
          <span className="jp-Studio-hint">
            {[...Object.entries(typed ?? {}).map(([name, share]) => `${name} ${percentText(now[name] ?? 0)} → ${percentText(share)}`), ...shadows.map(v => trans.__('%1 copies of %2 → %3', v.name, percentText(v.weight), percentText(copies[v.name] ?? 0)))].join(' · ')}
          </span>
        </div>
      )}
      {apply.error && <ErrorBox error={apply.error} />}
      {(dialog?.kind === 'add' || dialog?.kind === 'shadow') && <VariantDialog endpoint={endpoint} shadow={dialog.kind === 'shadow'} onClose={() => void done()} />}
      {dialog?.kind === 'limits' && <LimitsDialog endpoint={endpoint} variant={dialog.variant} onClose={() => void done()} />}
      {dialog?.kind === 'remove' && <RemoveDialog endpoint={endpoint} variant={dialog.variant} onClose={() => void done()} />}
    </Section>
  );
}

/** The whole of the traffic as one bar. */
function SplitBar({ split }: { split: Split }): JSX.Element {
  return (
    <div className="jp-Studio-splitBar" role="img" aria-label={Object.entries(split).map(([name, share]) => `${name} ${percentText(share)}`).join(', ')}>
      {Object.entries(split).map(([name, share], i) => (
        <i key={name} style={{ flexGrow: share, background: hue(i) }} title={`${name} ${percentText(share)}`} />
      ))}
    </div>
  );
}

function Head(): JSX.Element {
  const { trans } = useStudio();
  return (
    <thead>
      <tr>
        <th>{trans.__('Variant')}</th>
        <th>{trans.__('State')}</th>
        <th>{trans.__('Traffic')}</th>
        <th className="jp-mod-right" title={trans.__('Processes now, and how many it may have')}>
          {trans.__('Replicas')}
        </th>
        <th className="jp-mod-right">{trans.__('Requests')}</th>
        <th className="jp-mod-right">{trans.__('Errors')}</th>
        <th className="jp-mod-right">{trans.__('p99, ms')}</th>
        <th>{trans.__('Loaded as')}</th>
        <th />
      </tr>
    </thead>
  );
}

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

function Row({ variant, place, share, before, locked, alone, mayChange, onShare, onDialog, why }: IRowProps): JSX.Element {
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

function RemoveDialog({ endpoint, variant, onClose }: { endpoint: Endpoint; variant: Variant; onClose: () => void }): JSX.Element {
  const { trans, client } = useStudio();
  const others = Object.keys(splitOf(endpoint.variants)).filter(name => name !== variant.name);
  return (
    <ConfirmDialog title={trans.__('Remove %1?', variant.name)} verb={trans.__('Remove')} act={() => client.endpoints.removeVariant(endpoint.name, variant.name)} onClose={onClose}>
      <p>
        {variant.shadow
          ? trans.__('No more requests are copied to version %1. What it answered stays in the captured rows.', variant.version)
          : variant.share > 0
            ? trans.__('Its %1 of the traffic go to %2. It finishes what it has begun, then its %3 replicas end and cost nothing more.', percentText(Number(variant.share.toFixed(1))), others.join(', ') || trans.__('nobody'), variant.replicas.length)
            : trans.__('It answers nobody now; what it has begun is finished first.')}
      </p>
    </ConfirmDialog>
  );
}
