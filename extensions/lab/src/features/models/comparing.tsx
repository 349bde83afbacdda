import { useState } from 'react';

import type { ModelCard, ModelFile, ModelVersion, RunDetail } from '../../api/model';
import { formatMetric } from '../../format';
import { useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Drawer, ErrorBox, Section, Skeleton } from '../../ui';
import { IDifference, differences, fieldsOfSides, filesOf, metricDifferences, packagesOf, paramsOf } from './compare';

interface ISide {
  run: RunDetail | null;
  card: ModelCard | null;
  files: ModelFile[];
}

interface ICompareProps {
  model: string;
  a: ModelVersion;
  b: ModelVersion;
  onClose: () => void;
}

/** Two versions side by side: what they measured, were given, take, need and are made of. */
export function CompareDrawer({ model, a, b, onClose }: ICompareProps): JSX.Element {
  const { trans, client } = useStudio();
  const [all, setAll] = useState(false);
  const read = async (version: ModelVersion): Promise<ISide> => {
    const [run, card, files] = await Promise.all([
      version.run_id ? client.experiments.run(version.run_id).catch(() => null) : null,
      client.models.card(model, version.version).catch(() => null),
      client.models.files(model, version.version)
    ]);
    return { run, card, files };
  };
  const { data, error, refresh } = useResource(`compare/${model}/${a.version}/${b.version}`, () => Promise.all([read(a), read(b)]), { topics: ['models'] });
  const names: [string, string] = [`v${a.version}`, `v${b.version}`];
  return (
    <Drawer
      title={trans.__('%1: version %2 and version %3', model, a.version, b.version)}
      subtitle={
        <label className="jp-Studio-inline">
          <input type="checkbox" checked={all} onChange={event => setAll(event.target.checked)} /> {trans.__('Also what is the same')}
        </label>
      }
      width={820}
      onClose={onClose}
    >
      {error && <ErrorBox error={error} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton rows={10} />}
      {data && (
        <div data-testid={TEST.modelCompare}>
          <Part title={trans.__('Metrics of the run')} lines={metricDifferences(data[0].run, data[1].run)} names={names} all={all} open />
          <Part title={trans.__('Parameters')} lines={differences(paramsOf(data[0].run), paramsOf(data[1].run))} names={names} all={all} />
          <Part title={trans.__('Signature')} lines={differences(fieldsOfSides(data[0].card?.signature ?? null), fieldsOfSides(data[1].card?.signature ?? null))} names={names} all={all} />
          <Part title={trans.__('Packages')} lines={differences(packagesOf(data[0].card), packagesOf(data[1].card))} names={names} all={all} />
          <Part title={trans.__('Files')} lines={differences(filesOf(data[0].files), filesOf(data[1].files))} names={names} all={all} />
        </div>
      )}
    </Drawer>
  );
}

function Part({ title, lines, names, all, open = false }: { title: string; lines: IDifference[]; names: [string, string]; all: boolean; open?: boolean }): JSX.Element {
  const { trans } = useStudio();
  const changed = lines.filter(line => line.changed).length;
  const shown = all || open ? lines : lines.filter(line => line.changed);
  return (
    <Section title={title} aside={<span className="jp-Studio-hint">{changed ? trans._n('%1 differs', '%1 differ', changed) : lines.length ? trans.__('the same') : trans.__('none')}</span>}>
      {shown.length > 0 && (
        <div className="jp-Studio-versionDiff" role="table" aria-label={title}>
          <span className="jp-mod-head" />
          {names.map(name => (
            <span key={name} className="jp-mod-head">
              {name}
            </span>
          ))}
          {shown.map(line => (
            <Line key={line.key} line={line} />
          ))}
        </div>
      )}
    </Section>
  );
}

function Line({ line }: { line: IDifference }): JSX.Element {
  const mark = line.changed ? 'jp-mod-changed' : undefined;
  const delta = line.delta;
  return (
    <>
      <span title={line.key}>{line.key}</span>
      <span className={mark} title={line.a}>
        {line.a || '–'}
      </span>
      <span className={mark} title={line.b}>
        {line.b || '–'}
        {delta !== undefined && <small className="jp-Studio-delta">{`${delta > 0 ? '+' : '−'}${formatMetric(Math.abs(delta))}`}</small>}
      </span>
    </>
  );
}
