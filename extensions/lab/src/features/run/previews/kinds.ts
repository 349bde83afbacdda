/** How a file is shown, from its name alone: what is in it is not trusted to say. */
export type Kind = 'image' | 'svg' | 'table' | 'json' | 'markdown' | 'html' | 'model' | 'text' | 'none';

const IMAGES: Record<string, string> = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', bmp: 'image/bmp' };
const TEXTS = new Set(
  'txt log out err py ipynb r jl sql sh bash js ts css scss yaml yml toml cfg ini conf env xml properties c h cc cpp hpp java go rs rb lock gitignore dockerfile tex rst diff patch jsonl ndjson'.split(' ')
);
const NAMES = new Set(['MLproject', 'Dockerfile', 'Makefile', 'LICENSE', 'README', 'requirements', 'conda', 'registered_model_meta']);

/** Bytes that are read to show a file; of a larger one its beginning, or nothing where a part shows nothing. */
export const MOST: Record<Kind, number> = {
  image: 24e6,
  svg: 4e6,
  table: 1e6,
  json: 2e6,
  markdown: 5e5,
  html: 12e6,
  model: 0,
  text: 5e5,
  none: 2e5
};

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

export function kindOf(path: string): Kind {
  const name = nameOf(path);
  const suffix = name.includes('.') ? (name.split('.').pop() ?? '').toLowerCase() : '';
  if (name === 'MLmodel') {
    return 'model';
  }
  if (suffix in IMAGES) {
    return 'image';
  }
  const kinds: Record<string, Kind> = { svg: 'svg', csv: 'table', tsv: 'table', json: 'json', md: 'markdown', markdown: 'markdown', html: 'html', htm: 'html' };
  return kinds[suffix] ?? (TEXTS.has(suffix) || NAMES.has(name) ? 'text' : 'none');
}

/** The type under which the browser may see an image: of this list, whatever the server or the file says. */
export function imageType(path: string): string {
  return IMAGES[nameOf(path).split('.').pop()?.toLowerCase() ?? ''] ?? 'image/png';
}

/** Whether bytes look like text: valid UTF-8 up to a cut end, and no control characters but the usual. */
export function isText(bytes: Uint8Array): boolean {
  const text = new TextDecoder('utf-8').decode(bytes, { stream: true });
  return !/[\u0000-\u0008\u000e-\u001a\u001c-\u001f\ufffd]/.test(text);
}
