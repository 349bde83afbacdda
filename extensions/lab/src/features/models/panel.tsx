import { useState } from 'react';

import type { RegisteredModel } from '../../api/model';
import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Ago, Button, ChoiceList, EmptyState, ErrorBox, Panel, Skeleton, Split, StatusPill, Tag } from '../../ui';
import { ModelPage } from './page';

/** The registry. `item`: a model's name, or name/version. */
export function ModelsPanel({ item }: { item: string }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { data, error, refresh } = useResource('models', client => client.models.list(), { topics: ['models', 'endpoints'] });
  const [name = '', version = ''] = item.split('/');
  const [chosen, setChosen] = useState(name);
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
          width={248}
          list={
            <ChoiceList
              label={trans.__('Registered models')}
              active={active.name}
              onChoose={setChosen}
              items={models.map(model => ({
                key: model.name,
                title: <span title={model.name}>{model.name}</span>,
                detail: <Detail model={model} />,
                trail: <span className="jp-Studio-count">{model.latest_version ? `v${model.latest_version}` : trans.__('empty')}</span>,
                testId: TEST.row('models', model.name)
              }))}
            />
          }
        >
          <ModelPage key={active.name} name={active.name} version={active.name === name ? version : ''} />
        </Split>
      )}
    </Panel>
  );
}

/** Aliases, what serves it, and what was decided about the newest version; else when it changed. */
function Detail({ model }: { model: RegisteredModel }): JSX.Element {
  const { trans } = useStudio();
  const aliases = Object.entries(model.aliases);
  return (
    <span className="jp-Studio-modelRow">
      {aliases.slice(0, 1).map(([alias, version]) => (
        <Tag key={alias} tone="brand" title={aliases.map(([name, number]) => `@${name} → v${number}`).join('\n')}>
          {`@${alias} v${version}`}
        </Tag>
      ))}
      {model.endpoints.length > 0 && (
        <span title={model.endpoints.join('\n')}>{trans._n('%1 endpoint', '%1 endpoints', model.endpoints.length)}</span>
      )}
      {model.approval && <StatusPill state={model.approval} compact title={trans.__('Newest version: %1', model.approval.toLowerCase())} />}
      {aliases.length === 0 && model.endpoints.length === 0 && <Ago at={model.updated_ms} />}
    </span>
  );
}
