import { useState } from 'react';

import type { EnvironmentDetail, EnvironmentVersion, Pin } from '../../api/model';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, DataTable, ErrorBox, IColumn, Id, Section, Skeleton, StatusPill, Tag } from '../../ui';
import { Chips } from './packages';

interface IVersionsProps {
  env: EnvironmentDetail;
  refresh: () => Promise<void>;
}

/** Every change is a version; any of them can be gone back to. */
export function Versions({ env, refresh }: IVersionsProps): JSX.Element {
  const { trans, client, session } = useStudio();
  const [open, setOpen] = useState(env.newest);
  const shown = env.versions.find(version => version.number === open) ?? env.versions[0];
  const back = useAction(async (number: number) => {
    await client.environments.rollBack(env.name, number);
    await refresh();
  });
  const newest = env.versions[0];
  const mayGoBack = (version: EnvironmentVersion): boolean => env.is_own && session?.role !== 'viewer' && !!newest && version !== newest && !same(version, newest);
  const columns: IColumn<EnvironmentVersion>[] = [
    {
      key: 'number',
      label: trans.__('Version'),
      width: 104,
      grow: 0,
      cell: version => (
        <span className="jp-Studio-inline">
          <b>{version.number}</b>
          {version.number === env.current && <Tag tone="brand">{trans.__('in use')}</Tag>}
        </span>
      )
    },
    { key: 'state', label: trans.__('State'), width: 104, grow: 0, cell: version => <StatusPill state={version.state} /> },
    { key: 'note', label: trans.__('What changed'), width: 180, grow: 3, cell: version => version.note },
    { key: 'by', label: trans.__('By'), width: 72, cell: version => version.created_by || trans.__('catalogue') },
    { key: 'when', label: trans.__('When'), width: 88, align: 'right', cell: version => <Ago at={version.created_ms} /> },
    {
      key: 'act',
      label: '',
      width: 96,
      grow: 0,
      align: 'right',
      cell: version =>
        mayGoBack(version) && (
          <Button disabled={back.busy} testId={TEST.environmentRollback(version.number)} title={trans.__('A new version with the packages of this one, from the very same lock')} onClick={event => (event.stopPropagation(), void back.run(version.number))}>
            {trans.__('Roll back')}
          </Button>
        )
    }
  ];
  return (
    <>
      <DataTable name="environment-versions" label={trans.__('Versions')} columns={columns} rows={env.versions} rowKey={version => String(version.number)} active={shown && String(shown.number)} onOpen={version => setOpen(version.number)} fit={10} />
      {back.error && <ErrorBox error={back.error} />}
      {shown && <VersionView key={shown.number} env={env} version={shown} />}
    </>
  );
}

function same(a: EnvironmentVersion, b: EnvironmentVersion): boolean {
  return JSON.stringify([a.packages, a.preload, a.python]) === JSON.stringify([b.packages, b.preload, b.python]);
}

function VersionView({ env, version }: { env: EnvironmentDetail; version: EnvironmentVersion }): JSX.Element {
  const { trans } = useStudio();
  const { data, error, refresh } = useResource(`environment/${env.name}/${version.number}/${version.state}`, c => c.environments.version(env.name, version.number), { topics: [] });
  return (
    <>
      <Section title={trans.__('Version %1', version.number)} aside={version.hash ? <Id id={version.hash} /> : undefined}>
        <Chips items={version.packages} />
      </Section>
      {version.error && <ErrorBox error={new Error(version.error)} />}
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton rows={3} />}
      {data && data.against > 0 && data.locked.length > 0 && <Changes pins={data.changes} against={data.against} />}
    </>
  );
}

function Changes({ pins, against }: { pins: Pin[]; against: number }): JSX.Element {
  const { trans } = useStudio();
  const columns: IColumn<Pin>[] = [
    { key: 'name', label: trans.__('Package'), width: 160, grow: 2, cell: pin => pin.name },
    { key: 'before', label: trans.__('Version %1', against), width: 96, cell: pin => pin.before || <span className="jp-Studio-hint">–</span> },
    { key: 'now', label: trans.__('Here'), width: 96, cell: pin => pin.version || <span className="jp-Studio-hint">–</span> },
    { key: 'what', label: '', width: 96, grow: 0, cell: pin => <Tag>{!pin.before ? trans.__('added') : !pin.version ? trans.__('removed') : trans.__('changed')}</Tag> }
  ];
  return (
    <Section title={trans.__('Locked differently than in version %1 (%2)', against, pins.length)}>
      {pins.length === 0 ? (
        <p className="jp-Studio-hint">{trans.__('Every package has the same version.')}</p>
      ) : (
        <DataTable name="environment-changes" label={trans.__('Differences')} columns={columns} rows={pins} rowKey={pin => pin.name} fit={12} />
      )}
    </Section>
  );
}
