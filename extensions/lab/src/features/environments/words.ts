import type { Environment } from '../../api/model';

export const NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

/** Packages as people type them: one a line, names alone also side by side; comments are left out. */
export function packagesOf(text: string): string[] {
  const found = text.split('\n').flatMap(line => {
    const bare = line.replace(/(^|\s)#.*$/, '').trim();
    const isNames = /^[A-Za-z0-9][\w.-]*(?:\[[\w,.-]*\])?(?:[\s,]+[A-Za-z0-9][\w.-]*(?:\[[\w,.-]*\])?)*$/.test(bare);
    return isNames ? bare.split(/[\s,]+(?![^[]*\])/) : [bare];
  });
  return [...new Set(found.filter(Boolean))];
}

/** The name in a requirement, as packaging compares it. */
export function nameOf(requirement: string): string {
  return (requirement.split(/[\s[<>=!~;]/)[0] ?? '').toLowerCase().replace(/[-_.]+/g, '-');
}

/** The clone that a domain gets of one of the catalogue; the server chooses the same. */
export function cloneName(domain: string, name: string): string {
  return `${domain}-${name}`.slice(0, 40).replace(/-+$/, '');
}

/** What the panel was asked to open: an environment, and packages to add to it. */
export interface IAsked {
  name: string;
  add: string[] | null;
  creates: boolean;
}

export function askedOf(item: string): IAsked {
  const acts = item.endsWith('+');
  const [name = '', query = ''] = (acts ? item.slice(0, -1) : item).split('?');
  const given = new URLSearchParams(query).get('add');
  return { name, add: acts && given !== null ? given.split(' ').filter(Boolean) : null, creates: acts && !name };
}

export function itemOf(name: string, packages: readonly string[]): string {
  return `${name}?${new URLSearchParams({ add: packages.join(' ') }).toString()}+`;
}

/** The domain's own, then the catalogue's; each by name. */
export function grouped(all: readonly Environment[]): { own: Environment[]; shared: Environment[] } {
  return { own: all.filter(env => env.is_own), shared: all.filter(env => !env.is_own) };
}
