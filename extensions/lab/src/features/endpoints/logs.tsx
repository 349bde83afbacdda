import { useState } from 'react';

import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { ErrorBox, Select, Skeleton, StatusPill } from '../../ui';

/** What its replicas printed, the end of it: the one chosen, or the newest. */
export function Logs({ name }: { name: string }): JSX.Element {
  const { trans } = useStudio();
  const { data, error, refresh } = useResource(`endpoint-log/${name}`, client => client.endpoints.log(name), { topics: ['endpoints'], everyMs: 3000 });
  const [chosen, setChosen] = useState('');
  if (!data) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton />;
  }
  const shown = data.replicas.find(replica => replica.replica === chosen) ?? data.replicas[data.replicas.length - 1];
  if (!shown) {
    return <p className="jp-Studio-hint">{trans.__('No replica runs. What the next one prints stands here.')}</p>;
  }
  return (
    <div className="jp-Studio-stack">
      <div className="jp-Studio-replicaPick">
        <Select
          value={shown.replica}
          label={trans.__('Replica')}
          testId={TEST.endpointReplica}
          options={[...data.replicas].reverse().map((replica): [string, string] => [replica.replica, `${replica.variant} · ${replica.replica}`])}
          onChange={setChosen}
        />
        <StatusPill state={shown.state} />
      </div>
      <pre className="jp-Studio-log" tabIndex={0} aria-label={trans.__('Log of %1', shown.replica)} data-testid={TEST.endpointLog}>
        {shown.text || trans.__('It printed nothing.')}
      </pre>
    </div>
  );
}
