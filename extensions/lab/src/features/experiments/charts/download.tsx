import { useAction, useStudio } from '../../../hooks';
import { TEST } from '../../../testids';
import { IFigure, ITheme, loadPlotly, plain, themed, useTheme } from '../../../ui';
import { Popover } from './popover';

interface IDownloadProps {
  /** What the chart shows; the files are named after it. */
  name: string;
  figure?: (theme: ITheme) => IFigure;
  /** Names beside the picture. */
  legend?: readonly { name: string; hue: number }[];
  csv: () => string;
}

const SIZE = { width: 960, height: 540 };

/** A chart as a picture with title and legend, or its values. */
export function Download({ name, figure, legend = [], csv }: IDownloadProps): JSX.Element {
  const { trans } = useStudio();
  const theme = useTheme();
  const picture = useAction(async (format: 'png' | 'svg') => {
    if (figure) {
      const url = await (await loadPlotly()).toImage(titled(figure(theme), name, legend, theme), { format, ...SIZE, scale: 2 });
      save(url, `${name}.${format}`);
    }
  });
  const onCsv = (): void => {
    const url = URL.createObjectURL(new Blob([csv()], { type: 'text/csv' }));
    save(url, `${name}.csv`);
    window.setTimeout(() => URL.revokeObjectURL(url), 1000);
  };
  return (
    <Popover icon="download" label={trans.__('Download %1', name)} isQuiet testId={TEST.chartDownload(name)}>
      {close => (
        <div className="jp-Studio-menu" role="menu">
          {figure && (
            <>
              <button type="button" role="menuitem" disabled={picture.busy} onClick={() => void picture.run('png').then(done => done && close())}>
                {trans.__('Picture (PNG)')}
              </button>
              <button type="button" role="menuitem" disabled={picture.busy} onClick={() => void picture.run('svg').then(done => done && close())}>
                {trans.__('Picture (SVG)')}
              </button>
            </>
          )}
          <button
            type="button"
            role="menuitem"
            onClick={() => {
              onCsv();
              close();
            }}
          >
            {trans.__('Values (CSV)')}
          </button>
          {picture.error && <span className="jp-Studio-invalidText">{picture.error.message}</span>}
        </div>
      )}
    </Popover>
  );
}

/** The figure by itself: what the view says around it is said in the picture. */
function titled(figure: IFigure, name: string, legend: readonly { name: string; hue: number }[], theme: ITheme): IFigure {
  const { data, layout } = themed(figure, theme, SIZE.width, SIZE.height);
  const named = new Set(legend.map(entry => plain(entry.name)));
  return {
    data: data.map(trace => ({ ...trace, showlegend: typeof trace.name === 'string' && named.has(trace.name) })),
    layout: { ...layout, title: { text: plain(name), x: 0.02, font: { size: 15 } }, showlegend: legend.length > 1, margin: { l: 64, r: 24, t: 48, b: 48 } }
  };
}

/** File names keep letters, digits, dots and dashes. */
function save(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name.replace(/[^\w.-]+/g, '-');
  link.click();
}
