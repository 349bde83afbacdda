import { useMemo, useState } from 'react';

import type { Run } from '../../../api/model';
import { formatDuration, formatExact, formatMetric, formatNumber } from '../../../format';
import { useStudio } from '../../../hooks';
import { Icon } from '../../../icons';
import { TEST } from '../../../testids';
import { Link, StatusPill, TextInput, hue } from '../../../ui';
import { csvOf } from './csv';
import { IRow, Section, rowsOf } from './differences';
import { Download } from './download';
import type { ChartsState } from './state';
import { Toggle } from './toolbar';

interface ICompareProps {
  runs: Run[];
  hues: ReadonlyMap<string, number>;
  state: ChartsState;
  onChange: (change: Partial<ChartsState>) => void;
}

const MOST = 20;

/** Runs side by side, the rows in which they differ marked. */
export function CompareTab({ runs, hues, state, onChange }: ICompareProps): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const [typed, setTyped] = useState('');
  const shown = useMemo(() => runs.slice(0, MOST), [runs]);
  const rows = useMemo(
    () =>
      rowsOf(shown, {
        [trans.__('Started')]: run => formatExact(run.start_ms),
        [trans.__('Duration')]: run => (run.end_ms === null ? '–' : formatDuration(run.end_ms - run.start_ms)),
        [trans.__('By')]: run => run.user
      }),
    [shown, trans]
  );
  const titles: Record<Section, string> = { about: trans.__('Run'), params: trans.__('Parameters'), metrics: trans.__('Metrics'), tags: trans.__('Tags') };
  const found = rows.filter(row => (!state.differing || row.differs) && row.key.toLowerCase().includes(typed.toLowerCase()));
  const alike = rows.length - rows.filter(row => row.differs).length;
  const csv = (): string => csvOf(['', ...shown.map(run => run.name)], [['run_id', ...shown.map(run => run.run_id)], ...rows.map(row => [`${row.section}.${row.key}`, ...row.values])]);
  return (
    <>
      <div className="jp-Studio-chartTools" role="toolbar" aria-label={trans.__('Compare')}>
        <Toggle name="differing" on={state.differing} title={trans.__('Leave out what is the same in all of these runs')} onChange={differing => onChange({ differing })}>
          {trans.__('Only differences')}
        </Toggle>
        <span className="jp-Studio-chartGroup">
          <TextInput value={typed} onChange={setTyped} placeholder={trans.__('Search rows')} label={trans.__('Search rows')} />
        </span>
        <span className="jp-Studio-hint">
          {runs.length > MOST && trans.__('The first %1 of %2 runs. ', MOST, runs.length)}
          {state.differing && alike > 0 && trans._n('%1 row is the same in all', '%1 rows are the same in all', alike)}
        </span>
        <Download name={trans.__('Comparison')} csv={csv} />
      </div>
      <div className="jp-Studio-compare" tabIndex={0} role="region" aria-label={trans.__('Comparison of runs')}>
        <table className={state.differing ? undefined : 'jp-mod-all'} data-testid={TEST.differences}>
          <thead>
            <tr>
              <th scope="col" aria-label={trans.__('Row')} />
              {shown.map(run => (
                <th key={run.run_id} scope="col">
                  <span className="jp-Studio-compareRun">
                    <i className="jp-Studio-swatch" style={{ background: hue(hues.get(run.run_id) ?? 0) }} />
                    <StatusPill state={run.status} compact />
                    <Link title={run.name} onClick={() => studio.open('run', run.run_id)}>
                      {run.name}
                    </Link>
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          {(Object.keys(titles) as Section[]).map(section => {
            const own = found.filter(row => row.section === section);
            return (
              own.length > 0 && (
                <tbody key={section}>
                  <tr className="jp-Studio-compareSection">
                    <th scope="rowgroup" colSpan={shown.length + 1}>
                      {titles[section]}
                    </th>
                  </tr>
                  {own.map(row => (
                    <CompareRow key={row.key} row={row} runs={shown} />
                  ))}
                </tbody>
              )
            );
          })}
        </table>
        {found.length === 0 && <p className="jp-Studio-chartNone">{typed ? trans.__('No row has this in its name') : trans.__('These runs do not differ')}</p>}
      </div>
    </>
  );
}

function CompareRow({ row, runs }: { row: IRow; runs: readonly Run[] }): JSX.Element {
  const { trans } = useStudio();
  return (
    <tr className={row.differs ? 'jp-mod-differs' : undefined}>
      <th scope="row" title={row.key}>
        {row.key}
        {row.differs && <span className="jp-Studio-hidden">{trans.__('differs')}</span>}
      </th>
      {runs.map((run, i) => {
        const value = row.values[i] ?? null;
        const isBest = row.best.includes(i);
        const text = value === null ? '–' : typeof value === 'number' ? formatMetric(value) : value;
        const metric = row.section === 'metrics' ? run.metrics[row.key] : undefined;
        const title = metric ? trans.__('last %1 · min %2 · max %3 · step %4', formatNumber(metric.last), formatNumber(metric.min), formatNumber(metric.max), metric.step) : text;
        return (
          <td key={run.run_id} className={isBest ? 'jp-mod-best' : undefined} title={title}>
            {isBest && <Icon name="check" size={12} />}
            {text}
            {isBest && <span className="jp-Studio-hidden">{trans.__('best')}</span>}
          </td>
        );
      })}
    </tr>
  );
}
