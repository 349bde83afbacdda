/** What a kernel asks to have added: names only, whatever it sent. */
export interface IWanted {
  environment: string;
  packages: string[];
  line: string;
}

const MOST = 50;
const LONGEST = 200;

export function wantedOf(data: unknown): IWanted {
  const given = typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {};
  const packages = Array.isArray(given['packages']) ? given['packages'] : [];
  return {
    environment: textOf(given['environment']),
    packages: packages.map(textOf).filter(Boolean).slice(0, MOST),
    line: typeof given['line'] === 'string' ? given['line'].slice(0, 2000) : ''
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' && value.length <= LONGEST && /^[A-Za-z0-9][\w.,<>=!~*+[\]-]*$/.test(value) ? value : '';
}
