import { useSyncExternalStore } from 'react';

import { HUES, hue } from './chart';
import { plainColor } from './colors';

/** The lab's colours and type as plain values, for what cannot read CSS variables. */
export interface ITheme {
  /** Colours of series; beyond the last they begin again. */
  hues: string[];
  text: string;
  soft: string;
  line: string;
  muted: string;
  paper: string;
  good: string;
  bad: string;
  family: string;
}

function read(): ITheme {
  const probe = document.createElement('div');
  probe.className = 'jp-Studio';
  probe.style.display = 'none';
  document.body.append(probe);
  const computed = (value: string): string => {
    probe.style.color = value;
    return plainColor(getComputedStyle(probe).color);
  };
  const theme: ITheme = {
    hues: Array.from({ length: HUES }, (_, i) => computed(hue(i))),
    text: computed('var(--jp-ui-font-color1)'),
    soft: computed('var(--jp-Studio-soft)'),
    line: computed('var(--jp-Studio-line)'),
    muted: computed('var(--jp-Studio-muted)'),
    paper: computed('var(--jp-layout-color1)'),
    good: computed('var(--jp-success-color1)'),
    bad: computed('var(--jp-error-color1)'),
    family: getComputedStyle(probe).fontFamily
  };
  probe.remove();
  return theme;
}

let current: ITheme | null = null;
let text = '';
const listeners = new Set<() => void>();
let observer: MutationObserver | null = null;

function reread(): void {
  const next = read();
  const said = JSON.stringify(next);
  if (said !== text) {
    text = said;
    current = next;
    listeners.forEach(notify => notify());
  }
}

function subscribe(notify: () => void): () => void {
  listeners.add(notify);
  if (!observer) {
    // The theme's name, and its style sheets, which come and go after it.
    observer = new MutationObserver(reread);
    observer.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light'] });
    observer.observe(document.head, { childList: true });
    document.head.addEventListener('load', reread, true);
    reread();
  }
  return () => {
    listeners.delete(notify);
    if (listeners.size === 0) {
      observer?.disconnect();
      document.head.removeEventListener('load', reread, true);
      observer = null;
    }
  };
}

function snapshot(): ITheme {
  if (!current) {
    current = read();
    text = JSON.stringify(current);
  }
  return current;
}

/** The theme's values; another object when the theme changes. */
export function useTheme(): ITheme {
  return useSyncExternalStore(subscribe, snapshot);
}
