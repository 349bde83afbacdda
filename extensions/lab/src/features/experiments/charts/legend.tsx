import { formatNumber } from '../../../format';
import { useStudio } from '../../../hooks';
import { TEST } from '../../../testids';
import { hue } from '../../../ui';
import { nearestIndex } from './axes';
import { Hover, useHover } from './hover';
import type { ISeriesLine, Scale } from './series';
import { xText, yValue } from './traces';

export interface ILegendEntry {
  id: string;
  name: string;
  hue: number;
}

interface ILegendProps {
  entries: readonly ILegendEntry[];
  hidden: ReadonlySet<string>;
  onHide: (id: string) => void;
  hover: Hover;
  /** The lines of a metric's chart. */
  linesOf: (metric: string) => readonly ISeriesLine[];
  scale: Scale;
}

/** Every line by name, and while the pointer is in a chart its value there: the one readout of all charts. */
export function CurvesLegend({ entries, hidden, onHide, hover, linesOf, scale }: ILegendProps): JSX.Element {
  const { trans } = useStudio();
  const now = useHover(hover);
  const lines = now ? linesOf(now.metric) : [];
  const isSmooth = scale.smoothing > 0;
  return (
    <div className="jp-Studio-readout" data-testid={TEST.chartControl('readout')}>
      <div className="jp-Studio-readoutHead" aria-live="polite">
        {now ? (
          <>
            <span title={now.metric}>{now.metric}</span>
            <span className="jp-Studio-hint">{xText(now.x, scale)}</span>
          </>
        ) : (
          <span className="jp-Studio-hint">{isSmooth ? trans.__('Smoothed · as logged') : trans.__('Point at a chart to read it')}</span>
        )}
      </div>
      {entries.map(entry => {
        const line = lines.find(item => item.id === entry.id);
        return (
          <button
            key={entry.id}
            type="button"
            className={`jp-Studio-readoutRow${now?.id === entry.id ? ' jp-mod-near' : ''}`}
            aria-pressed={!hidden.has(entry.id)}
            title={hidden.has(entry.id) ? trans.__('Show %1', entry.name) : trans.__('Hide %1', entry.name)}
            data-testid={TEST.chartLine(entry.id)}
            onClick={() => onHide(entry.id)}
          >
            <i style={{ background: hue(entry.hue) }} />
            <span>{entry.name}</span>
            {now && line && <b>{valueAt(line.line, now.x, scale)}</b>}
            {now && line && isSmooth && !line.band && <b className="jp-mod-raw">{valueAt(line.raw, now.x, scale)}</b>}
          </button>
        );
      })}
    </div>
  );
}

function valueAt({ x, y }: ISeriesLine['line'], at: number, scale: Scale): string {
  const value = y[nearestIndex(x, at)];
  return value === undefined ? '' : formatNumber(yValue(value, scale.logY));
}
