import { useState } from 'react';

import type { ModelVersion } from '../../api/model';
import { formatMetric } from '../../format';
import { useAction, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, ChoiceList, DataTable, EmptyState, ErrorBox, Field, IColumn, Link, Modal, Panel, Section, Skeleton, Split, StatusPill, Tag, TextInput } from '../../ui';
import { DeployDialog } from '../endpoints/deploy';
import { defaultKeys } from '../experiments/columns';
import { fieldsOf, outputOf } from './signature';

export function ModelsPanel({ item }: { item: string }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { data, error, refresh } = useResource('models', client => client.models.list(), { topics: ['models'] });
  const [chosen, setChosen] = useState(item);
  const models = data ?? [];
  const active = models.find(model => model.name === chosen) ?? models[0];
  return (
    <Panel
      name="models"
      title={trans.__('Models')}
      icon="models"
      bare={models.length > 0}
      code={active && `import mlflow\n\nmodel = mlflow.pyfunc.load_model("models:/${active.name}${active.aliases['champion'] ? '@champion' : `/${active.latest_version ?? 1}`}")\nmodel.predict(rows)`}
    >
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton />}
      {data && models.length === 0 && (
        <EmptyState
          icon="models"
          testId={TEST.empty('models')}
          title={trans.__('No registered models yet')}
          text={trans.__('Register the model of a good run: it gets a number, an alias such as champion, and can be served.')}
          action={
            <Button kind="primary" icon="experiments" onClick={() => studio.open('experiments')}>
              {trans.__('Choose a run')}
            </Button>
          }
          code={'import mlflow\n\nmlflow.register_model("runs:/<run id>/model", "rain-tomorrow")'}
        />
      )}
      {active && (
        <Split
          width={240}
          list={
            <ChoiceList
              label={trans.__('Registered models')}
              active={active.name}
              onChoose={setChosen}
              items={models.map(model => ({
                key: model.name,
                title: <span title={model.name}>{model.name}</span>,
                detail: <Ago at={model.updated_ms} />,
                trail: <span className="jp-Studio-count">{trans._n('%1 version', '%1 versions', model.versions)}</span>,
                testId: TEST.row('models', model.name)
              }))}
            />
          }
        >
          <ModelView key={active.name} name={active.name} />
        </Split>
      )}
    </Panel>
  );
}

function ModelView({ name }: { name: string }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { data, error, refresh } = useResource(`model/${name}`, client => client.models.get(name), { topics: ['models'] });
  const [deploys, setDeploys] = useState<ModelVersion | null>(null);
  const [aliases, setAliases] = useState<ModelVersion | null>(null);
  const [open, setOpen] = useState<string | null>(null);
  if (!data) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton rows={6} />;
  }
  const versions = [...data.versions].sort((a, b) => Number(b.version) - Number(a.version));
  const keys = defaultKeys([...new Set(versions.flatMap(version => Object.keys(version.metrics)))], 3);
  const shown = versions.find(version => String(version.version) === open) ?? versions[0];
  const columns: IColumn<ModelVersion>[] = [
    { key: 'version', label: trans.__('Version'), width: 72, grow: 0, cell: v => <b>{`v${v.version}`}</b> },
    { key: 'status', label: trans.__('State'), width: 96, grow: 0, cell: v => <StatusPill state={v.status} /> },
    {
      key: 'aliases',
      label: trans.__('Aliases'),
      width: 132,
      cell: v => (
        <span className="jp-Studio-inline">
          {v.aliases.map(alias => (
            <Tag key={alias} tone="brand">
              @{alias}
            </Tag>
          ))}
          <Button kind="quiet" icon="plus" title={trans.__('Give an alias')} testId={TEST.modelAlias(String(v.version))} onClick={event => (event.stopPropagation(), setAliases(v))} />
        </span>
      )
    },
    ...keys.map((key): IColumn<ModelVersion> => ({ key, label: key, width: 72, align: 'right', cell: v => formatMetric(v.metrics[key]) })),
    { key: 'run', label: trans.__('Run'), width: 80, cell: v => (v.run_id ? <Link onClick={() => studio.open('run', v.run_id ?? '')}>{trans.__('Open run')}</Link> : '–') },
    { key: 'created', label: trans.__('Registered'), width: 84, align: 'right', cell: v => <Ago at={v.created_ms} /> },
    {
      key: 'act',
      label: '',
      width: 88,
      grow: 0,
      align: 'right',
      cell: v => (
        <Button kind={v === versions[0] ? 'primary' : 'plain'} testId={TEST.modelDeploy(String(v.version))} onClick={event => (event.stopPropagation(), setDeploys(v))}>
          {trans.__('Deploy')}
        </Button>
      )
    }
  ];
  return (
    <div className="jp-Studio-stack">
      <div className="jp-Studio-detailHead">
        <h2>{data.name}</h2>
        {Object.entries(data.aliases).map(([alias, version]) => (
          <Tag key={alias} tone="brand">
            {`@${alias} → v${version}`}
          </Tag>
        ))}
      </div>
      <DataTable name="versions" label={trans.__('Versions')} columns={columns} rows={versions} rowKey={v => String(v.version)} active={shown && String(shown.version)} onOpen={v => setOpen(String(v.version))} fit={10} />
      {shown && <SignatureView version={shown} />}
      {deploys && <DeployDialog model={name} version={String(deploys.version)} onClose={() => setDeploys(null)} />}
      {aliases && (
        <AliasDialog
          model={name}
          version={aliases}
          onClose={() => {
            setAliases(null);
            void refresh();
          }}
        />
      )}
    </div>
  );
}

function SignatureView({ version }: { version: ModelVersion }): JSX.Element {
  const { trans } = useStudio();
  const fields = fieldsOf(version.signature);
  const output = outputOf(version.signature);
  return (
    <Section title={trans.__('Signature of version %1', version.version)}>
      {version.description && <p>{version.description}</p>}
      {fields ? (
        <div className="jp-Studio-signature">
          {fields.map(field => (
            <span key={field.name} className="jp-Studio-chip" title={field.required ? trans.__('required') : trans.__('optional')}>
              {field.name} <small>{field.type}</small>
            </span>
          ))}
          {output && (
            <span className="jp-Studio-chip jp-mod-output">
              {'→'} <small>{output}</small>
            </span>
          )}
        </div>
      ) : (
        <p className="jp-Studio-hint">{trans.__('No named columns. Log the model with input_example=X.head() and the form to try it fills itself.')}</p>
      )}
    </Section>
  );
}

function AliasDialog({ model, version, onClose }: { model: string; version: ModelVersion; onClose: () => void }): JSX.Element {
  const { trans, client } = useStudio();
  const [alias, setAlias] = useState('champion');
  const set = useAction(async () => client.models.setAlias(model, alias, version.version));
  const submit = async (): Promise<void> => {
    if (await set.run()) {
      onClose();
    }
  };
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="primary" disabled={!alias || set.busy} onClick={() => void submit()} testId={TEST.dialogAccept}>
        {trans.__('Set alias')}
      </Button>
    </>
  );
  return (
    <Modal name="alias" title={trans.__('Alias for %1 v%2', model, version.version)} width={400} onClose={onClose} footer={footer}>
      <Field label={trans.__('Alias')} hint={trans.__('models:/%1@%2 then means this version; an alias moves, it is never on two versions.', model, alias)}>
        {id => <TextInput id={id} value={alias} onChange={setAlias} autoFocus />}
      </Field>
      {set.error && <ErrorBox error={set.error} />}
    </Modal>
  );
}
