import { useState } from 'react';

import type { ModelVersion, RegisteredModelDetail } from '../../api/model';
import { formatMetric } from '../../format';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, ConfirmDialog, DataTable, EmptyState, ErrorBox, IColumn, Link, Markdown, Section, Skeleton, StatusPill, Tabs, Tag } from '../../ui';
import { DeployDialog } from '../endpoints/deploy';
import { defaultKeys } from '../experiments/columns';
import { LineageGraph } from '../lineage/graph';
import { NoteEditor, TagEditor } from '../run/notes';
import { AliasDialog } from './aliases';
import { CompareDrawer } from './comparing';
import { VersionView } from './version';

type View = 'versions' | 'lineage' | 'about';

/** One registered model: its versions, where they came from and are, what people say about it. */
export function ModelPage({ name, version }: { name: string; version: string }): JSX.Element {
  const { trans } = useStudio();
  const { data, error, refresh } = useResource(`model/${name}`, client => client.models.get(name), { topics: ['models', 'endpoints'] });
  const [view, setView] = useState<View>('versions');
  const [deletes, setDeletes] = useState(false);
  if (!data) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton rows={6} />;
  }
  return (
    <div className="jp-Studio-modelPage">
      <div className="jp-Studio-detailHead">
        <h2 title={data.name}>{data.name}</h2>
        {Object.entries(data.aliases).map(([alias, number]) => (
          <Tag key={alias} tone="brand">
            {`@${alias} → v${number}`}
          </Tag>
        ))}
        <span className="jp-Studio-spacer" />
        <Button kind="quiet" icon="trash" title={trans.__('Delete %1', data.name)} testId={TEST.modelDelete('model')} onClick={() => setDeletes(true)} />
      </div>
      {data.description && (
        <div className="jp-Studio-modelText">
          <Markdown text={data.description} testId={TEST.modelDescription} />
        </div>
      )}
      <Tabs
        tabs={[
          ['versions', trans.__('Versions')],
          ['lineage', trans.__('Lineage')],
          ['about', trans.__('Description & tags')]
        ]}
        active={view}
        onSelect={setView}
        testId={TEST.modelTab}
      />
      {view === 'versions' && <Versions data={data} wanted={version} refresh={refresh} />}
      {view === 'lineage' && <LineageGraph of={{ kind: 'model', name }} />}
      {view === 'about' && <About data={data} refresh={refresh} />}
      {deletes && <DeleteModel data={data} onClose={() => setDeletes(false)} />}
    </div>
  );
}

interface IDetailProps {
  data: RegisteredModelDetail;
  refresh: () => Promise<void>;
}

function Versions({ data, wanted, refresh }: IDetailProps & { wanted: string }): JSX.Element {
  const { trans } = useStudio();
  const [open, setOpen] = useState(wanted);
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [deploys, setDeploys] = useState<ModelVersion | null>(null);
  const [aliased, setAliased] = useState<ModelVersion | null>(null);
  const [compares, setCompares] = useState(false);
  const { versions } = data;
  const columns = useColumns(versions, setDeploys, setAliased);
  if (versions.length === 0) {
    return <EmptyState icon="models" title={trans.__('No version yet')} text={trans.__('Register the model of a run under this name.')} code={`import mlflow\n\nmlflow.register_model("runs:/<run id>/model", "${data.name}")`} />;
  }
  const shown = versions.find(version => String(version.version) === open) ?? versions[0];
  const pair = pairOf(versions, picked);
  return (
    <div className="jp-Studio-modelBody">
      <div className="jp-Studio-between">
        <span className="jp-Studio-hint">{trans._n('%1 version', '%1 versions', versions.length)}</span>
        <Button icon="columns" disabled={!pair} title={pair ? undefined : trans.__('Select two versions')} testId={TEST.modelCompareButton} onClick={() => setCompares(true)}>
          {pair ? trans.__('Compare v%1 and v%2', pair[0].version, pair[1].version) : trans.__('Compare')}
        </Button>
      </div>
      <DataTable
        name="versions"
        label={trans.__('Versions')}
        columns={columns}
        rows={versions}
        rowKey={version => String(version.version)}
        active={shown && String(shown.version)}
        onOpen={version => setOpen(String(version.version))}
        selected={picked}
        onSelect={setPicked}
        fit={8}
      />
      {shown && <VersionView key={shown.version} model={data} version={shown} refresh={refresh} />}
      {deploys && <DeployDialog model={data.name} version={String(deploys.version)} onClose={() => setDeploys(null)} />}
      {aliased && (
        <AliasDialog
          model={data.name}
          version={aliased}
          aliases={data.aliases}
          onClose={() => {
            setAliased(null);
            void refresh();
          }}
        />
      )}
      {compares && pair && <CompareDrawer model={data.name} a={pair[0]} b={pair[1]} onClose={() => setCompares(false)} />}
    </div>
  );
}

/** The two that were selected, else the newest two; older first. */
function pairOf(versions: readonly ModelVersion[], picked: ReadonlySet<string>): [ModelVersion, ModelVersion] | null {
  const chosen = picked.size === 0 ? versions.slice(0, 2) : versions.filter(version => picked.has(String(version.version)));
  const [newer, older] = chosen;
  return newer && older && chosen.length === 2 ? [older, newer] : null;
}

type Act = (version: ModelVersion) => void;

function useColumns(versions: readonly ModelVersion[], deploy: Act, alias: Act): IColumn<ModelVersion>[] {
  const studio = useStudio();
  const { trans } = studio;
  const keys = defaultKeys([...new Set(versions.flatMap(version => Object.keys(version.metrics)))], 2);
  return [
    { key: 'version', label: trans.__('Version'), width: 64, grow: 0, cell: v => <b>{`v${v.version}`}</b> },
    { key: 'approval', label: trans.__('Approval'), width: 96, grow: 0, cell: v => (v.approval ? <StatusPill state={v.approval.state} title={`${v.approval.by}: ${v.approval.reason}`} /> : <span className="jp-Studio-hint">–</span>) },
    {
      key: 'aliases',
      label: trans.__('Aliases'),
      width: 120,
      cell: v => (
        <span className="jp-Studio-inline">
          {v.aliases.map(name => (
            <Tag key={name} tone="brand">
              @{name}
            </Tag>
          ))}
          <Button kind="quiet" icon={v.aliases.length ? 'edit' : 'plus'} title={trans.__('Aliases')} testId={TEST.modelAlias(String(v.version))} onClick={event => (event.stopPropagation(), alias(v))} />
        </span>
      )
    },
    {
      key: 'endpoints',
      label: trans.__('Endpoints'),
      width: 112,
      cell: v => (
        <span className="jp-Studio-inline">
          {v.endpoints.map(endpoint => (
            <span key={endpoint.name} className="jp-Studio-inline">
              <StatusPill state={endpoint.state} compact />
              <Link onClick={() => studio.open('endpoint', endpoint.name)}>{endpoint.name}</Link>
            </span>
          ))}
        </span>
      )
    },
    ...keys.map((key): IColumn<ModelVersion> => ({ key, label: key, width: 72, align: 'right', cell: v => formatMetric(v.metrics[key]) })),
    { key: 'created', label: trans.__('Registered'), width: 84, align: 'right', cell: v => <Ago at={v.created_ms} /> },
    {
      key: 'act',
      label: '',
      width: 80,
      grow: 0,
      align: 'right',
      cell: v => (
        <Button kind={v === versions[0] ? 'primary' : 'plain'} testId={TEST.modelDeploy(String(v.version))} onClick={event => (event.stopPropagation(), deploy(v))}>
          {trans.__('Deploy')}
        </Button>
      )
    }
  ];
}

function About({ data, refresh }: IDetailProps): JSX.Element {
  const { trans, client } = useStudio();
  const change = useAction(async (given: Parameters<typeof client.models.change>[1]) => {
    await client.models.change(data.name, given);
    await refresh();
  });
  return (
    <div className="jp-Studio-columns2">
      <NoteEditor title={trans.__('Description')} empty={trans.__('What the model is for, what it must not be used for, whom to ask. Markdown.')} text={data.description} save={text => change.run({ description: text })} error={change.error} />
      <Section title={trans.__('Tags')}>
        <TagEditor tags={Object.entries(data.tags)} change={given => change.run({ tags: given })} busy={change.busy} />
        <p className="jp-Studio-hint">{trans.__('Made by %1.', data.owner)}</p>
      </Section>
    </div>
  );
}

function DeleteModel({ data, onClose }: { data: RegisteredModelDetail; onClose: () => void }): JSX.Element {
  const { trans, client } = useStudio();
  const used = [...new Set(data.versions.flatMap(version => version.endpoints.map(endpoint => endpoint.name)))];
  return (
    <ConfirmDialog title={trans.__('Delete %1?', data.name)} verb={trans.__('Delete')} act={() => client.models.delete(data.name)} onClose={onClose}>
      {used.length > 0 ? (
        <p>
          <b>{trans.__('%1 has a version of it.', used.join(', '))}</b> {trans.__('Its traffic would have nowhere to go: delete the endpoint first.')}
        </p>
      ) : (
        <p>{trans.__('No endpoint has a version of it: no traffic changes.')}</p>
      )}
      <p>{trans._n('Its %1 version, aliases and decisions are deleted. The files stay with their run.', 'All %1 versions, aliases and decisions are deleted. The files stay with their runs.', data.versions.length)}</p>
    </ConfirmDialog>
  );
}
