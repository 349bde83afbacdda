/** The part of Plotly that Studio uses, and its loading: a chunk of its own, fetched when the first chart is drawn. */

/** Plotly checks traces and layouts itself; what is passed on is typed where it is built. */
export type PlotTrace = Record<string, unknown>;
export type PlotLayout = Record<string, unknown>;

export interface IFigure {
  data: PlotTrace[];
  layout: PlotLayout;
}

export interface IPlotElement extends HTMLDivElement {
  on(event: 'plotly_relayout', listener: (changes: Record<string, unknown>) => void): void;
  on(event: 'plotly_doubleclick', listener: () => void): void;
}

interface IImageOptions {
  format: 'png' | 'svg';
  width: number;
  height: number;
  scale?: number;
}

export interface IPlotly {
  react(element: HTMLElement, data: PlotTrace[], layout: PlotLayout, config: Record<string, unknown>): Promise<IPlotElement>;
  purge(element: HTMLElement): void;
  toImage(figure: IFigure, options: IImageOptions): Promise<string>;
}

let loaded: Promise<IPlotly> | null = null;

/** Plotly, fetched from this server at the first call. A fetch that failed is tried again at the next. */
export function loadPlotly(): Promise<IPlotly> {
  loaded ??= import('plotly.js-basic-dist-min').then(
    module => module.default,
    (error: unknown) => {
      loaded = null;
      throw error;
    }
  );
  return loaded;
}

/** Plotly reads a few HTML tags and entities in its texts; a name is to be shown as it is. */
export function plain(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
