import { useState } from 'react';

import type { EndpointSummary } from '../../api/model';
import { formatCount, formatNumber } from '../../format';
import { useMoney, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button, DataTable, EmptyState, ErrorBox, Field, IColumn, Modal, Panel, Select, Skeleton, StatusPill } from '../../ui';
import { DeployDialog } from './deploy';
import { replicasOf } from './history';
import { percentText } from './split';

/** What is served. `item`: `+` asks which model to deploy. */
export function EndpointsPanel({ item }: { item: string }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const money = useMoney();
  const { data, error, refresh } = useResource('endpoints', client => client.endpoints.list(), { topics: ['endpoints'], everyMs: 3000 });
  const [picks, setPicks] = useState(item === '+');
  const [model, setModel] = useState<string | null>(null);
  const create = (
    <Button kind="primary" icon="plus" testId={TEST.newEndpoint} onClick={() => setPicks(true)}>
      {trans.__('Deploy a model')}
    </Button>
  );
  const columns: IColumn<EndpointSummary>[] = [
    { key: 'name', label: trans.__('Endpoint'), width: 136, grow: 2, cell: e => <b title={e.name}>{e.name}</b> },
    { key: 'state', label: trans.__('State'), width: 176, cell: e => <StatusPill state={e.state} title={e.reason ?? undefined} testId={TEST.state(`endpoint-${e.name}`)} /> },
    { key: 'model', label: trans.__('Model'), width: 112, cell: e => modelText(e) },
    { key: 'mode', label: trans.__('Runs'), width: 84, cell: e => (e.mode === 'always' ? trans.__('always on') : trans.__('serverless')) },
    { key: 'traffic', label: trans.__('Traffic'), width: 168, cell: e => <TrafficCell endpoint={e} /> },
    { key: 'replicas', label: trans.__('Replicas'), width: 76, grow: 0, align: 'right', cell: e => formatCount(replicasOf(e)) },
    { key: 'requests', label: trans.__('Requests'), width: 80, align: 'right', cell: e => formatCount(e.stats?.requests) },
    { key: 'errors', label: trans.__('Errors'), width: 64, grow: 0, align: 'right', cell: e => formatCount(e.stats?.errors) },
    { key: 'p50', label: trans.__('p50, ms'), width: 72, grow: 0, align: 'right', cell: e => formatNumber(e.stats?.p50_ms) },
    { key: 'price', label: trans.__('per hour'), width: 80, grow: 0, align: 'right', cell: e => money(e.price_per_hour) }
  ];
  return (
    <Panel name="endpoints" title={trans.__('Endpoints')} icon="endpoints" actions={data && data.length > 0 && create}>
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton />}
      {data && data.length === 0 && (
        <EmptyState
          icon="endpoints"
          testId={TEST.empty('endpoints')}
          title={trans.__('Nothing is served yet')}
          text={trans.__('Deploy a registered model and it answers predictions under an address of its own, tested on a real row before anybody is answered.')}
          action={create}
          code={'from studio.guest import sdk\n\nsdk.deploy("models:/rain-tomorrow@champion", name="rain-tomorrow")'}
        />
      )}
      {data && data.length > 0 && (
        <DataTable name="endpoints" label={trans.__('Endpoints')} columns={columns} rows={data} rowKey={e => e.name} onOpen={e => studio.open('endpoint', e.name)} fit={24} />
      )}
      {picks && (
        <PickModel
          onClose={() => setPicks(false)}
          onPick={name => {
            setPicks(false);
            setModel(name);
          }}
        />
      )}
      {model && (
        <DeployDialog
          model={model}
          onClose={() => {
            setModel(null);
            void refresh();
          }}
        />
      )}
    </Panel>
  );
}

/** Who has the traffic, where it is divided; a shift under way says how far it is. */
function TrafficCell({ endpoint }: { endpoint: EndpointSummary }): JSX.Element {
  const { trans } = useStudio();
  const served = endpoint.variants.filter(v => v.share > 0);
  const shadows = endpoint.variants.filter(v => v.shadow).length;
  const words = served.length > 1 ? served.map(v => `${v.name} ${percentText(v.share)}`).join(', ') : served.length === 1 ? trans.__('all to %1', served[0]?.name ?? '') : '–';
  const text = shadows ? `${words} + ${trans._n('%1 shadow', '%1 shadows', shadows)}` : words;
  return <span title={endpoint.rollout?.words ?? text}>{text}</span>;
}

/** `models:/name@alias` in words, with the version that it means now. */
export function modelText(endpoint: Pick<EndpointSummary, 'model' | 'version'>): string {
  const name = endpoint.model.replace(/^models:\//, '').split(/[@/]/)[0] ?? endpoint.model;
  return `${name} v${endpoint.version}`;
}

function PickModel({ onClose, onPick }: { onClose: () => void; onPick: (name: string) => void }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { data, error, refresh } = useResource('models', client => client.models.list(), { topics: ['models'] });
  const [chosen, setChosen] = useState('');
  const none = data?.length === 0;
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      {none ? (
        <Button
          kind="primary"
          onClick={() => {
            onClose();
            studio.open('experiments');
          }}
        >
          {trans.__('Choose a run')}
        </Button>
      ) : (
        <Button kind="primary" disabled={!data} testId={TEST.dialogAccept} onClick={() => onPick(chosen || (data?.[0]?.name ?? ''))}>
          {trans.__('Continue')}
        </Button>
      )}
    </>
  );
  return (
    <Modal name="pick-model" title={trans.__('Deploy a model')} width={420} onClose={onClose} footer={footer}>
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {none && <p>{trans.__('There is no registered model yet. Open a run that logged a model and register it.')}</p>}
      {data && !none && (
        <Field label={trans.__('Registered model')}>
          {id => <Select id={id} value={chosen || (data[0]?.name ?? '')} options={data.map(model => model.name)} onChange={setChosen} testId={TEST.deployModel} />}
        </Field>
      )}
    </Modal>
  );
}
