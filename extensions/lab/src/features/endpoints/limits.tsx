import { useState } from 'react';

import type { Endpoint, Variant } from '../../api/model';
import { useAction, useMoney, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ErrorBox, Modal } from '../../ui';
import { ReplicaRange, rangeProblem } from './replicas';

interface ILimitsProps {
  endpoint: Endpoint;
  variant: Variant;
  onClose: () => void;
}

/** How many replicas a variant has at least and at most; between them its load decides. */
export function LimitsDialog({ endpoint, variant, onClose }: ILimitsProps): JSX.Element {
  const { trans, client } = useStudio();
  const money = useMoney();
  const types = useResource('instance-types', c => c.endpoints.instanceTypes(), { topics: [] });
  const [range, setRange] = useState({ least: String(variant.min_replicas), most: String(variant.max_replicas) });
  const problem = rangeProblem(range, trans);
  const price = types.data?.find(type => type.name === variant.instance_type)?.price_per_hour;
  const save = useAction(async () => {
    await client.endpoints.limitVariant(endpoint.name, variant.name, Number(range.least), Number(range.most));
    onClose();
  });
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={problem !== '' || save.busy} testId={TEST.dialogAccept} onClick={() => void save.run()}>
        {save.busy ? trans.__('Saving…') : trans.__('Save')}
      </Button>
    </>
  );
  return (
    <Modal name="limits" title={trans.__('Replicas of %1', variant.name)} width={420} onClose={onClose} footer={footer}>
      <ReplicaRange range={range} onChange={setRange} problem={problem} />
      <p className="jp-Studio-hint">
        {trans.__('There are more while each has over %1 requests in flight or queued, and fewer when it is calm again.', endpoint.settings.target_load)}
        {price !== undefined && !problem && ` ${trans.__('%1 to %2 per hour.', money(endpoint.mode === 'serverless' ? 0 : price * Number(range.least)), money(price * Number(range.most)))}`}
      </p>
      {save.error && <ErrorBox error={save.error} />}
    </Modal>
  );
}
