import { LabIcon } from '@jupyterlab/ui-components';

/** Drawings on a 16-unit grid, stroked in the colour of the text beside them. */
const DRAWINGS = {
  studio: '<path d="M2.5 12.5 6 8l3 2.5 4.5-7"/><circle cx="13.5" cy="3.5" r="1.2"/><circle cx="2.5" cy="12.5" r="1.2"/>',
  home: '<path d="M2.5 7.5 8 2.8l5.5 4.7"/><path d="M4 6.5v6.7h8V6.5"/><path d="M6.8 13.2V9.5h2.4v3.7"/>',
  data: '<ellipse cx="8" cy="3.8" rx="5" ry="1.8"/><path d="M3 3.8v8.4c0 1 2.2 1.8 5 1.8s5-.8 5-1.8V3.8"/><path d="M3 8c0 1 2.2 1.8 5 1.8S13 9 13 8"/>',
  experiments: '<path d="M6.3 2.2v4L2.9 12a1.4 1.4 0 0 0 1.2 2h7.8a1.4 1.4 0 0 0 1.2-2L9.7 6.2v-4"/><path d="M5.3 2.2h5.4M4.6 9.8h6.8"/>',
  run: '<path d="M2.2 13.6V2.4M2.2 13.6h11.6"/><path d="m4.6 10.4 2.6-3.2 2.4 1.8 3.6-5"/>',
  jobs: '<rect x="2.3" y="3" width="11.4" height="10" rx="1.4"/><path d="m4.8 6.2 2 1.8-2 1.8M8.6 10h2.8"/>',
  models: '<path d="m8 2 5.3 3v6L8 14l-5.3-3V5z"/><path d="m2.8 5 5.2 3 5.2-3M8 8v6"/>',
  endpoints: '<circle cx="8" cy="8" r="1.6"/><path d="M4.7 11.3a4.7 4.7 0 0 1 0-6.6M11.3 4.7a4.7 4.7 0 0 1 0 6.6M2.5 13.5a7.8 7.8 0 0 1 0-11M13.5 2.5a7.8 7.8 0 0 1 0 11"/>',
  monitors: '<path d="M1.8 8.4h2.6l1.7-4.6 3 8.6 2-5.2.8 1.2h2.3"/>',
  environments: '<path d="m8 2.2 5.8 3L8 8.2l-5.8-3z"/><path d="m2.2 8.1 5.8 3 5.8-3M2.2 10.9l5.8 3 5.8-3"/>',
  domain: '<path d="M2.5 13.5v-10l5-1.3v11.3M7.5 6l6 1.6v5.9M1.5 13.5h13"/><path d="M4.4 6h1.2M4.4 8.6h1.2M10 9.3h1.2M10 11.3h1.2"/>',
  cost: '<circle cx="8" cy="8" r="5.8"/><path d="M10.3 5.6A2.9 2.9 0 0 0 5.4 8a2.9 2.9 0 0 0 4.9 2.4M4.3 7.2h4M4.3 8.8h4"/>',
  dashboard: '<rect x="2.3" y="2.3" width="5" height="6.4" rx="1"/><rect x="8.9" y="2.3" width="4.8" height="3.6" rx="1"/><rect x="2.3" y="10.3" width="5" height="3.4" rx="1"/><rect x="8.9" y="7.5" width="4.8" height="6.2" rx="1"/>',
  play: '<path d="M4.8 3v10l8-5z"/>',
  stop: '<rect x="4" y="4" width="8" height="8" rx="1"/>',
  copy: '<rect x="5.4" y="5.4" width="8" height="8" rx="1.2"/><path d="M10.6 5.4V3.8a1.2 1.2 0 0 0-1.2-1.2H3.8a1.2 1.2 0 0 0-1.2 1.2v5.6a1.2 1.2 0 0 0 1.2 1.2h1.6"/>',
  check: '<path d="m3.2 8.4 3.2 3.2 6.4-7"/>',
  code: '<path d="M5.4 4.6 2 8l3.4 3.4M10.6 4.6 14 8l-3.4 3.4M9.2 3.2 6.8 12.8"/>',
  help: '<circle cx="8" cy="8" r="5.8"/><path d="M6.3 6.4a1.75 1.75 0 1 1 2.6 1.7c-.6.3-.9.7-.9 1.3"/><path d="M8 11.3v.1"/>',
  chevron: '<path d="m6 3.6 4.4 4.4L6 12.4"/>',
  down: '<path d="M3.6 6 8 10.4 12.4 6"/>',
  close: '<path d="m4 4 8 8M12 4l-8 8"/>',
  plus: '<path d="M8 3v10M3 8h10"/>',
  search: '<circle cx="7" cy="7" r="4.3"/><path d="m10.2 10.2 3.3 3.3"/>',
  warning: '<path d="M8 2.4 14.4 13H1.6z"/><path d="M8 6.4v3.2M8 11.2v.1"/>',
  error: '<circle cx="8" cy="8" r="5.8"/><path d="M8 4.8v3.8M8 10.9v.1"/>',
  clock: '<circle cx="8" cy="8" r="5.8"/><path d="M8 4.6V8l2.3 1.5"/>',
  moon: '<path d="M12.9 9.6A5.4 5.4 0 0 1 6.4 3.1a5.4 5.4 0 1 0 6.5 6.5z"/>',
  pause: '<path d="M5.6 3.6v8.8M10.4 3.6v8.8"/>',
  undo: '<path d="M5.6 3.2 2.6 6.2l3 3"/><path d="M2.8 6.2h6.6a3.7 3.7 0 0 1 0 7.4H6.2"/>',
  trash: '<path d="M2.8 4.4h10.4M6 4.4V2.8h4v1.6M4.2 4.4l.6 9h6.4l.6-9M6.7 7v4M9.3 7v4"/>',
  notebook: '<rect x="3.4" y="2.2" width="9.4" height="11.6" rx="1.2"/><path d="M5.8 2.2v11.6M2 5h2.4M2 8h2.4M2 11h2.4"/>',
  folder: '<path d="M1.9 4.4a1 1 0 0 1 1-1h3.3l1.4 1.7h5.5a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H2.9a1 1 0 0 1-1-1z"/>',
  file: '<path d="M4 1.9h5l3.2 3.2v9H4z"/><path d="M8.8 2v3.4h3.4"/>',
  external: '<path d="M9.2 2.8h4v4M13 3 7.4 8.6M11.4 9.6v3.6H2.8V4.6h3.6"/>',
  up: '<path d="M8 13V3.4M4 7.2l4-4 4 4"/>',
  shield: '<path d="m8 1.9 5 1.8v4c0 3.2-2.1 5.4-5 6.4-2.9-1-5-3.2-5-6.4v-4z"/>',
  image: '<rect x="2.3" y="2.8" width="11.4" height="10.4" rx="1.2"/><circle cx="5.8" cy="6.2" r="1.1"/><path d="m2.6 11.6 3.6-3 2.4 1.9 2.3-2.2 2.6 2.4"/>',
  download: '<path d="M8 2.4v7.4M4.6 6.8 8 10.2l3.4-3.4M2.8 13.2h10.4"/>',
  edit: '<path d="m10.6 2.9 2.5 2.5-7.4 7.4-3.1.6.6-3.1z"/><path d="m9.1 4.4 2.5 2.5"/>',
  pin: '<path d="M6 2.4h4M6.6 2.4v4.2L4.4 9h7.2L9.4 6.6V2.4M8 9v4.6"/>',
  pinned: '<path d="M6 2.4h4M6.6 2.4v4.2L4.4 9h7.2L9.4 6.6V2.4z"/><path d="M8 9v4.6"/>',
  enlarge: '<path d="M9.4 2.8h3.8v3.8M6.6 13.2H2.8V9.4M13 3 9.2 6.8M3 13l3.8-3.8"/>',
  shrink: '<path d="M13 6.6H9.4V3M3 9.4h3.6V13M9.6 6.4l3.6-3.6M6.4 9.6l-3.6 3.6"/>',
  archive: '<rect x="2" y="2.8" width="12" height="3.2" rx="0.8"/><path d="M3.2 6v6.2a1 1 0 0 0 1 1h7.6a1 1 0 0 0 1-1V6M6.4 8.6h3.2"/>',
  note: '<path d="M3 2.6h10v7.2l-3.6 3.6H3z"/><path d="M9.4 13.2V9.8H13M5.4 5.6h5.2M5.4 8h2.6"/>',
  tag: '<path d="M8.6 2.4H13v4.4l-6.4 6.4a1 1 0 0 1-1.4 0L2.2 10.2a1 1 0 0 1 0-1.4z"/><circle cx="10.6" cy="4.8" r="0.7"/>',
  group: '<path d="M2.6 3.4h6M5.2 7h8.2M5.2 10h8.2M5.2 13h8.2M3.2 5.6v7"/>',
  differs: '<path d="M3 5.6h10M3 10.4h10M10.6 2.6 5.4 13.4"/>',
  more: '<path d="M3.6 8h.1M8 8h.1M12.4 8h.1" stroke-width="2.2"/>',
  link: '<path d="M6.8 9.2a2.8 2.8 0 0 0 4 0l2-2a2.8 2.8 0 0 0-4-4l-.8.8"/><path d="M9.2 6.8a2.8 2.8 0 0 0-4 0l-2 2a2.8 2.8 0 0 0 4 4l.8-.8"/>',
  view: '<path d="M4.2 2.4h7.6v11.2L8 10.8l-3.8 2.8z"/>',
  people: '<circle cx="6" cy="5.4" r="2.4"/><path d="M1.6 13.2c0-2.5 1.9-4.2 4.4-4.2s4.4 1.7 4.4 4.2"/><path d="M10.4 3.2a2.3 2.3 0 0 1 0 4.4M11.8 9.4c1.6.5 2.6 1.9 2.6 3.8"/>',
  key: '<circle cx="5" cy="11" r="2.9"/><path d="m7.1 8.9 6.1-6.1M11.4 4.6l1.9 1.9M9.4 6.6l1.5 1.5"/>',
  monitor: '<rect x="1.9" y="2.8" width="12.2" height="8.2" rx="1.2"/><path d="M5.4 13.6h5.2M8 11v2.6"/>',
  rules: '<path d="M6.6 3.8h7M6.6 8h7M6.6 12.2h7"/><path d="m2.2 3.8.9.9 1.5-1.8M2.2 8l.9.9 1.5-1.8M2.4 11.2l2 2M4.4 11.2l-2 2"/>',
  sliders: '<path d="M2.4 4.4h5.4M11 4.4h2.6M2.4 11.6H5M8.2 11.6h5.4"/><circle cx="9.4" cy="4.4" r="1.6"/><circle cx="6.6" cy="11.6" r="1.6"/>',
  lock: '<rect x="3.2" y="7" width="9.6" height="6.8" rx="1.2"/><path d="M5.2 7V5a2.8 2.8 0 0 1 5.6 0v2"/>',
  snapshot: '<rect x="1.9" y="4.4" width="12.2" height="9" rx="1.2"/><path d="M5.6 4.2 6.6 2.6h2.8l1 1.6"/><circle cx="8" cy="8.8" r="2.3"/>',
  columns: '<rect x="2.3" y="2.8" width="11.4" height="10.4" rx="1.2"/><path d="M6.1 2.8v10.4M9.9 2.8v10.4"/>'
} as const;

export type IconName = keyof typeof DRAWINGS;

const FILLED = new Set<IconName>(['play', 'stop', 'pinned']);

export function Icon({ name, size = 16 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg
      className="jp-Studio-icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill={FILLED.has(name) ? 'currentColor' : 'none'}
      stroke="currentColor"
      strokeWidth={1.3}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      dangerouslySetInnerHTML={{ __html: DRAWINGS[name] }}
    />
  );
}

const made = new Map<IconName, LabIcon>();

/** The same drawing for JupyterLab's own tabs, menus and bars. */
export function labIcon(name: IconName): LabIcon {
  let icon = made.get(name);
  if (!icon) {
    const svgstr =
      '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">' +
      `<g class="jp-icon3" fill="none" stroke="#616161" stroke-width="1.3" stroke-linecap="round" stroke-linejoin="round">${DRAWINGS[name]}</g></svg>`;
    icon = new LabIcon({ name: `jupyterlab-studio:${name}`, svgstr: svgstr.replace('class="jp-icon3" fill="none"', 'class="jp-icon3" fill="none" style="fill:none"') });
    made.set(name, icon);
  }
  return icon;
}
