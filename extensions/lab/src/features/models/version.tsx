import { useState } from 'react';

import type { ModelVersion, RegisteredModelDetail } from '../../api/model';
import { formatMetric } from '../../format';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, ConfirmDialog, ErrorBox, Id, KeyValue, Link, Section, Skeleton, StatusPill, Tag } from '../../ui';
import { CardView } from '../run/previews/card';
import { NoteEditor, TagEditor } from '../run/notes';
import { Approval } from './approval';

interface IVersionProps {
  model: RegisteredModelDetail;
  version: ModelVersion;
  refresh: () => Promise<void>;
}

/** One version: what was decided, what its run measured, what it takes and needs, where it is. */
export function VersionView({ model, version, refresh }: IVersionProps): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const [deletes, setDeletes] = useState(false);
  const { data: card, error } = useResource(`card/${model.name}/${version.version}`, client => client.models.card(model.name, version.version), { topics: [] });
  const metrics = Object.entries(version.metrics).sort(([a], [b]) => a.localeCompare(b));
  return (
    <div data-testid={TEST.modelVersion(String(version.version))}>
      <div className="jp-Studio-versionHead">
        <h3>{trans.__('Version %1', version.version)}</h3>
        <span className="jp-Studio-hint">
          {trans.__('registered by %1', version.owner)} <Ago at={version.created_ms} />
        </span>
        {version.environment && (
          <span className="jp-Studio-inline jp-Studio-hint" title={trans.__('What its run was made in; it is deployed with it unless another is chosen')}>
            {trans.__('made in')} <Link onClick={() => studio.open('environments', version.environment)}>{version.environment}</Link>
            {version.environment_hash && <Id id={version.environment_hash} />}
          </span>
        )}
        {version.endpoints.map(endpoint => (
          <span key={endpoint.name} className="jp-Studio-inline">
            <StatusPill state={endpoint.state} compact />
            <Link onClick={() => studio.open('endpoint', endpoint.name)}>{endpoint.name}</Link>
          </span>
        ))}
        <span className="jp-Studio-spacer" />
        {version.run_id && <Button onClick={() => studio.open('run', version.run_id ?? '')}>{trans.__('Open run')}</Button>}
        <Button kind="quiet" icon="trash" title={trans.__('Delete version %1', version.version)} testId={TEST.modelDelete(String(version.version))} onClick={() => setDeletes(true)} />
      </div>
      <Approval model={model.name} version={version} refresh={refresh} />
      <div className="jp-Studio-columns2">
        <Section title={trans.__('Metrics of the run')}>
          {metrics.length ? <KeyValue items={metrics.map(([key, value]) => [key, formatMetric(value)])} /> : <p className="jp-Studio-hint">{trans.__('Its run logged none, or is gone.')}</p>}
        </Section>
        <Words model={model} version={version} refresh={refresh} />
      </div>
      {error && error.status !== 404 && <ErrorBox error={error} />}
      {!card && !error && <Skeleton rows={6} />}
      {card && <CardView card={card} />}
      {error?.status === 404 && <p className="jp-Studio-hint">{trans.__('Its files hold no MLmodel: they were deleted, or it is no model of MLflow.')}</p>}
      {deletes && <DeleteVersion model={model} version={version} refresh={refresh} onClose={() => setDeletes(false)} />}
    </div>
  );
}

function Words({ model, version, refresh }: IVersionProps): JSX.Element {
  const { trans, client } = useStudio();
  const change = useAction(async (given: Parameters<typeof client.models.changeVersion>[2]) => {
    await client.models.changeVersion(model.name, version.version, given);
    await refresh();
  });
  const tags = Object.entries(version.tags).filter(([key]) => key !== 'studio.approval' && !key.startsWith('studio.approval.'));
  return (
    <div>
      <NoteEditor title={trans.__('Description')} empty={trans.__('What is different in this version.')} text={version.description} save={text => change.run({ description: text })} error={change.error} />
      <Section title={trans.__('Tags')}>
        <TagEditor tags={tags} change={given => change.run({ tags: given })} busy={change.busy} />
      </Section>
    </div>
  );
}

function DeleteVersion({ model, version, refresh, onClose }: IVersionProps & { onClose: () => void }): JSX.Element {
  const { trans, client } = useStudio();
  const used = version.endpoints.map(endpoint => endpoint.name);
  return (
    <ConfirmDialog
      title={trans.__('Delete %1 v%2?', model.name, version.version)}
      verb={trans.__('Delete')}
      act={async () => {
        await client.models.deleteVersion(model.name, version.version);
        await refresh();
      }}
      onClose={onClose}
    >
      {used.length > 0 ? (
        <p>
          <b>{trans.__('%1 has it.', used.join(', '))}</b> {trans.__('Its traffic would have nowhere to go: promote another version there, or delete the endpoint first.')}
        </p>
      ) : (
        <p>{trans.__('No endpoint has it: no traffic changes.')}</p>
      )}
      {version.aliases.length > 0 && (
        <p>
          {version.aliases.map(alias => (
            <Tag key={alias}>@{alias}</Tag>
          ))}{' '}
          {trans.__('then means no version, and code that loads it by this name fails.')}
        </p>
      )}
      <p>{trans.__('Its files stay with their run, which can be registered again; the number %1 is not given again.', version.version)}</p>
    </ConfirmDialog>
  );
}
