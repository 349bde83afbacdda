import { useState } from 'react';

import type { Endpoint, Variant } from '../../api/model';
import { useAction, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ConfirmDialog, ErrorBox, Section, hue } from '../../ui';
import { LimitsDialog } from './limits';
import { VariantDialog } from './newvariant';
import { Split, isSame, moved, percentText, splitOf } from './split';
import { VariantRow } from './variantrow';

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
                  <VariantRow
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
