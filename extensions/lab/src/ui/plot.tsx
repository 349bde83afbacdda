import { useEffect, useRef, useState } from 'react';

import { useStudio } from '../hooks';
import { asStudioError } from '../resource';
import { drawNever, drawSoon } from './frames';
import { ErrorBox } from './notice';
import { IFigure, IPlotElement, IPlotly, loadPlotly } from './plotly';
import { ITheme, useTheme } from './theme';

export interface IPlotProps {
  /** What is drawn, with the theme's colours. Another function draws again: keep it while nothing changes. */
  draw: (theme: ITheme, width: number, height: number) => IFigure;
  height: number;
  /** What the chart shows, for those who do not see it. */
  label: string;
  onZoom?: (x: [number | string, number | string] | null, y: [number, number] | null) => void;
  testId?: string;
  /** A picture: the pointer goes through to what lies around it. */
  isStatic?: boolean;
}

const CONFIG = { displayModeBar: false, doubleClick: false, responsive: false, showTips: false };

/** Sizes, fonts and colours that all charts share; `layout` adds to them. */
export function themed({ data, layout }: IFigure, theme: ITheme, width: number, height: number): IFigure {
  const axis = (given: unknown): Record<string, unknown> => ({
    gridcolor: theme.line,
    zeroline: false,
    linecolor: theme.line,
    tickfont: { size: 10, color: theme.soft },
    automargin: false,
    ...(given as object)
  });
  const axes = Object.fromEntries(Object.entries(layout).map(([name, value]) => [name, /^[xy]axis/.test(name) ? axis(value) : value]));
  return {
    data,
    layout: {
      width,
      height,
      paper_bgcolor: theme.paper,
      plot_bgcolor: theme.paper,
      font: { family: theme.family, size: 11, color: theme.text },
      showlegend: false,
      hovermode: false,
      ...axes
    }
  };
}

/** A Plotly chart: loaded at the first one, drawn when it is in sight, in the lab's colours. */
export function Plot({ draw, height, label, onZoom, testId, isStatic = false }: IPlotProps): JSX.Element {
  const { trans } = useStudio();
  const theme = useTheme();
  const root = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  const [seen, setSeen] = useState(false);
  const [plotly, setPlotly] = useState<IPlotly | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const zoomed = useRef(onZoom);
  zoomed.current = onZoom;

  useEffect(() => {
    const element = root.current;
    if (!element) {
      return;
    }
    const sizes = new ResizeObserver(() => setWidth(element.clientWidth));
    const sight = new IntersectionObserver(entries => setSeen(entries.some(entry => entry.isIntersecting)), { rootMargin: '120px' });
    sizes.observe(element);
    sight.observe(element);
    return () => {
      sizes.disconnect();
      sight.disconnect();
    };
  }, []);

  const load = (): void => {
    setError(null);
    loadPlotly().then(setPlotly, (reason: unknown) => setError(asStudioError(reason)));
  };
  useEffect(load, []);

  useEffect(() => {
    const element = root.current;
    if (!plotly || !element || !seen || width < 40) {
      return;
    }
    drawSoon(element, () => {
      const figure = themed(draw(theme, width, height), theme, width, height);
      void plotly.react(element, figure.data, figure.layout, { ...CONFIG, staticPlot: isStatic }).then(
        made => listen(made, zoomed),
        (reason: unknown) => setError(asStudioError(reason))
      );
    });
    return () => drawNever(element);
  }, [plotly, draw, theme, width, height, seen, isStatic]);

  useEffect(() => {
    const element = root.current;
    return () => {
      if (plotly && element) {
        plotly.purge(element);
      }
    };
  }, [plotly]);

  return (
    <div className="jp-Studio-plot" style={{ height }}>
      <div ref={root} className="jp-Studio-plotRoot" role="img" aria-label={label} data-testid={testId} />
      {error && <ErrorBox error={error} title={trans.__('The charts could not be loaded')} onRetry={load} />}
    </div>
  );
}

const listening = new WeakSet<IPlotElement>();

function listen(element: IPlotElement, zoomed: React.MutableRefObject<IPlotProps['onZoom']>): void {
  if (listening.has(element)) {
    return;
  }
  listening.add(element);
  element.on('plotly_relayout', changes => {
    const at = (name: string): unknown => changes[name];
    const x = at('xaxis.range[0]') !== undefined ? ([at('xaxis.range[0]'), at('xaxis.range[1]')] as [number | string, number | string]) : null;
    const y = at('yaxis.range[0]') !== undefined ? ([at('yaxis.range[0]'), at('yaxis.range[1]')] as [number, number]) : null;
    if (x ?? y) {
      zoomed.current?.(x, y);
    }
  });
  element.on('plotly_doubleclick', () => zoomed.current?.(null, null));
}
