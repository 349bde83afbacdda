import { useState } from 'react';

import type { Endpoint } from '../../api/model';
import { useAction, useMoney, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, ErrorBox, Field, Modal, Select, TextInput } from '../../ui';
import { ReplicaRange, rangeProblem } from './replicas';
import { dividing, percentText, weightFor } from './split';
import { useVersions } from './versions';

interface IVariantDialogProps {
  endpoint: Endpoint;
  shadow: boolean;
  onClose: () => void;
}

/** Another version beside those that serve: with a share of the traffic, or as a shadow with copies of requests. */
export function VariantDialog({ endpoint, shadow, onClose }: IVariantDialogProps): JSX.Element {
  const { trans, client } = useStudio();
  const money = useMoney();
  const { options, error } = useVersions(endpoint);
  const types = useResource('instance-types', c => c.endpoints.instanceTypes(), { topics: [] });
  const served = endpoint.variants.map(v => v.version);
  const [chosen, setChosen] = useState('');
  const version = chosen || (options.find(([key]) => !served.includes(Number(key))) ?? options[0])?.[0] || '';
  const [name, setName] = useState('');
  const [share, setShare] = useState(shadow ? '100' : '10');
  const [instance, setInstance] = useState(dividing(endpoint.variants)[0]?.instance_type ?? endpoint.instance_type);
  const [range, setRange] = useState({ least: '1', most: '1' });
  const percent = share.trim() === '' ? NaN : Number(share.replace(',', '.'));
  const isShare = shadow ? percent > 0 && percent <= 100 : percent >= 0 && percent < 100;
  const wrong = rangeProblem(range, trans);
  const others = dividing(endpoint.variants);
  const type = types.data?.find(item => item.name === instance);
  const add = useAction(async () => {
    const weight = shadow ? percent : weightFor(percent, others.map(v => v.weight));
    await client.endpoints.addVariant(endpoint.name, { version: Number(version), weight, name: name.trim(), instance_type: instance, min_replicas: Number(range.least), max_replicas: Number(range.most), shadow });
    onClose();
  });
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!version || !isShare || wrong !== '' || add.busy} testId={TEST.dialogAccept} onClick={() => void add.run()}>
        {add.busy ? trans.__('Adding…') : shadow ? trans.__('Add shadow') : trans.__('Add variant')}
      </Button>
    </>
  );
  return (
    <Modal name="variant" title={shadow ? trans.__('Add a shadow to %1', endpoint.name) : trans.__('Add a variant to %1', endpoint.name)} width={480} onClose={onClose} footer={footer}>
      <p className="jp-Studio-hint">
        {shadow ? trans.__('It gets copies of requests after they were answered. Its own answers are captured and go to nobody, so it can be compared without a risk.') : trans.__('It is started and tested on its example row first; then it takes its share of the traffic.')}
      </p>
      <div className="jp-Studio-pair">
        <Field label={trans.__('Version')}>{id => <Select id={id} value={version} testId={TEST.deployVersion} onChange={setChosen} options={options} />}</Field>
        <Field label={shadow ? trans.__('Requests copied to it, %') : trans.__('Share of the traffic, %')} error={isShare ? undefined : shadow ? trans.__('More than 0, at most 100.') : trans.__('0 to below 100.')}>
          {id => <TextInput id={id} value={share} onChange={setShare} testId={TEST.variantWeight} />}
        </Field>
      </div>
      {!shadow && isShare && <p className="jp-Studio-hint">{[trans.__('v%1 %2', version, percentText(percent)), ...others.map(v => `${v.name} ${percentText(((100 - percent) * v.share) / 100)}`)].join(' · ')}</p>}
      <Field label={trans.__('Instance type')} hint={type && trans.__('%1 per hour and replica', money(type.price_per_hour))}>
        {id => <Select id={id} value={instance} testId={TEST.deployInstance} onChange={setInstance} options={(types.data ?? []).map(item => item.name)} />}
      </Field>
      <details className="jp-Studio-more">
        <summary>{trans.__('Name and replicas')}</summary>
        <Field label={trans.__('Name')} hint={trans.__('What callers ask for to reach this one: a header X-Amzn-SageMaker-Target-Variant.')}>
          {id => <TextInput id={id} value={name} placeholder={`v${version}`} onChange={setName} testId={TEST.variantName} />}
        </Field>
        <ReplicaRange range={range} onChange={setRange} problem={wrong} />
      </details>
      {(error ?? add.error) && <ErrorBox error={error ?? add.error ?? new Error()} />}
    </Modal>
  );
}
