import type { Endpoint, Rollout } from '../../api/model';
import { formatCount, formatNumber } from '../../format';
import { useAction, useNow, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ErrorBox } from '../../ui';
import { limitsOf, timeText } from './strategy';

interface IShiftProps {
  endpoint: Endpoint;
  rollout: Rollout;
  mayChange: boolean;
  onDone: () => Promise<void>;
}

/** A shift of traffic under way: how far it is, how the new version does, at what it is taken back, and the way back. */
export function Shift({ endpoint, rollout, mayChange, onDone }: IShiftProps): JSX.Element {
  const { trans, client } = useStudio();
  const now = useNow(1000);
  const undo = useAction(async () => {
    await client.endpoints.undo(endpoint.name);
    await onDone();
  });
  const { strategy } = rollout;
  const variant = endpoint.variants.find(v => v.name === rollout.variant);
  const limits = limitsOf(strategy, trans);
  const length = rollout.share >= 100 ? strategy.bake_s : strategy.step_s;
  const left = rollout.moved_ms === null ? null : Math.max(0, Math.ceil(length - (now - rollout.moved_ms) / 1000));
  return (
    <div className="jp-Studio-shift" role="status" data-testid={TEST.rollout}>
      <div className="jp-Studio-shiftBar" aria-hidden="true">
        <i style={{ width: `${rollout.share}%` }} />
      </div>
      <div className="jp-Studio-between">
        <div>
          <b>{rollout.words}</b>
          <div className="jp-Studio-hint">
            {[
              ...(left !== null && left > 0 ? [trans.__('next in %1', countDown(left))] : []),
              ...(variant ? [trans.__('%1 of %2 answers were errors', formatCount(variant.errors), formatCount(variant.requests))] : []),
              ...(variant && variant.p99_ms !== null ? [trans.__('p99 %1 ms', formatNumber(Number(variant.p99_ms.toPrecision(3))))] : []),
              limits.length ? trans.__('taken back at %1', limits.join(trans.__(', or at '))) : trans.__('no limit takes it back')
            ].join(' · ')}
          </div>
        </div>
        {mayChange && (
          <Button icon="undo" disabled={undo.busy} testId={TEST.rolloutUndo} title={trans.__('The others have all of the traffic again, at once')} onClick={() => void undo.run()}>
            {undo.busy ? trans.__('Taking it back…') : trans.__('Undo the shift')}
          </Button>
        )}
      </div>
      {undo.error && <ErrorBox error={undo.error} />}
    </div>
  );
}

function countDown(seconds: number): string {
  return seconds < 120 ? timeText(seconds) : timeText(Math.ceil(seconds / 60) * 60);
}
