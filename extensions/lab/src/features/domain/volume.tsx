import { useState } from 'react';

import type { Domain, Volume } from '../../api/model';
import { formatBytes, formatCount } from '../../format';
import { useAction, useResource, useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { Ago, Button, ErrorBox, Section, Skeleton, hue } from '../../ui';
import { Failure, ISectionProps, Page } from './parts';
import { Snapshots } from './snapshots';

const MIB = 1024 * 1024;

/** What the domain stores, whose it is, how the quota is held; and its snapshots. */
export function VolumePage({ domain, acts }: ISectionProps): JSX.Element {
  const { trans, client, session } = useStudio();
  const { data, error, refresh } = useResource('volume', c => c.volume.get(), { topics: ['volumes'], everyMs: 15000 });
  const measure = useAction(async () => {
    await client.volume.measure();
    await refresh();
  });
  return (
    <Page
      name="volume"
      title={trans.__('Volume & snapshots')}
      lead={trans.__('Files of this domain: a folder shared by its members, a private home for each of them, and what runs and models keep.')}
    >
      {error && <Failure error={error} domain={domain} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton rows={6} />}
      {data?.message && (
        <div className="jp-Studio-banner" role="alert">
          <Icon name="warning" size={14} />
          <span>{data.message}</span>
        </div>
      )}
      {data && (
        <Section
          title={trans.__('In use')}
          aside={
            <span className="jp-Studio-inline jp-Studio-hint">
              {data.measured_ms ? (
                <span>
                  {trans.__('measured')} <Ago at={data.measured_ms} />
                </span>
              ) : (
                trans.__('being measured…')
              )}
              {session?.role !== 'viewer' && (
                <Button kind="quiet" disabled={measure.busy || !data.measured_ms} onClick={() => void measure.run()}>
                  {trans.__('Measure now')}
                </Button>
              )}
            </span>
          }
        >
          {measure.error && <ErrorBox error={measure.error} />}
          <Use volume={data} />
          <Quota domain={domain} volume={data} />
        </Section>
      )}
      <Snapshots domain={domain} acts={acts} isCheap={data?.cheap_snapshots ?? false} />
    </Page>
  );
}

interface IPart {
  name: string;
  bytes: number;
  color: string;
}

/** One bar, as long as the quota (or the disk's free room), in its parts; the parts with names and sizes below. */
function Use({ volume }: { volume: Volume }): JSX.Element {
  const { trans } = useStudio();
  const parts: IPart[] = [
    { name: trans.__('shared folder'), bytes: volume.shared_bytes, color: hue(0) },
    ...volume.homes.map((home, i) => ({ name: home.user, bytes: home.bytes, color: hue(2 + (i % 6)) })),
    { name: trans.__('files of runs and models'), bytes: volume.artifacts_bytes, color: hue(1) },
    { name: trans.__('snapshots'), bytes: volume.snapshots_bytes, color: hue(11) }
  ];
  const whole = volume.quota_mb ? volume.quota_mb * MIB : volume.used_bytes + volume.disk_free_bytes;
  const room = volume.quota_mb ? trans.__('of %1 quota', formatBytes(whole)) : trans.__('%1 free on this disk', formatBytes(volume.disk_free_bytes));
  return (
    <div data-testid={TEST.volumeUse}>
      <p className="jp-Studio-useHead">
        <b>{formatBytes(volume.used_bytes)}</b> {room}
        <span className="jp-Studio-hint">{trans._n('%2 file', '%2 files', volume.files, formatCount(volume.files))}</span>
      </p>
      <div className={`jp-Studio-useBar${volume.over ? ' jp-mod-over' : ''}`} role="img" aria-label={trans.__('%1 %2', formatBytes(volume.used_bytes), room)}>
        {parts.map(part => (
          <i key={part.name} style={{ width: `${(100 * part.bytes) / Math.max(whole, volume.used_bytes, 1)}%`, background: part.color }} title={`${part.name}: ${formatBytes(part.bytes)}`} />
        ))}
      </div>
      <ul className="jp-Studio-useParts">
        {parts
          .filter(part => part.bytes > 0)
          .map(part => (
            <li key={part.name}>
              <i style={{ background: part.color }} />
              <span title={part.name}>{part.name}</span>
              <em>{formatBytes(part.bytes)}</em>
            </li>
          ))}
      </ul>
    </div>
  );
}

function Quota({ domain, volume }: { domain: Domain; volume: Volume }): JSX.Element {
  const { trans, session } = useStudio();
  const [shows, setShows] = useState(false);
  return (
    <div className="jp-Studio-quota">
      <Icon name={volume.level === 'none' ? 'warning' : 'shield'} size={14} />
      <div>
        <p>{volume.enforcement}</p>
        {volume.advice && <p className="jp-Studio-hint">{volume.advice}</p>}
        {shows ? (
          <p className="jp-Studio-hint">
            {trans.__('A quota protects this computer, so who runs the installation sets it:')} <code>{`studio volume quota --domain ${domain.name} --mb 50000`}</code>
          </p>
        ) : (
          session?.role === 'admin' && (
            <Button kind="quiet" onClick={() => setShows(true)}>
              {volume.quota_mb ? trans.__('Change the quota') : trans.__('Set a quota')}
            </Button>
          )
        )}
      </div>
    </div>
  );
}
