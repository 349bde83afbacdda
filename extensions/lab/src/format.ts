/** How Studio writes numbers, times and sizes: at most four significant digits, relative times, short ids. */

const NONE = '–';

export function formatNumber(value: number | string | null | undefined): string {
  if (value === null || value === undefined || value === '') {
    return NONE;
  }
  const number = Number(value);
  if (!Number.isFinite(number)) {
    return String(value);
  }
  const size = Math.abs(number);
  if (Number.isInteger(number) && size < 1e7) {
    return number.toLocaleString('en-US');
  }
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) {
    return number.toExponential(2).replace('e+', 'e');
  }
  return size >= 1000 ? Math.round(number).toLocaleString('en-US') : String(Number(number.toPrecision(4)));
}

/** A metric that is compared down a column: the same number of decimals in every row. */
export function formatMetric(value: number | string | null | undefined): string {
  const number = Number(value);
  if (value === null || value === undefined || !Number.isFinite(number) || Math.abs(number) >= 10 || number === 0) {
    return formatNumber(value);
  }
  return Math.abs(number) < 1e-3 ? formatNumber(number) : number.toFixed(4);
}

export function formatCount(value: number | null | undefined): string {
  return value === null || value === undefined ? NONE : value.toLocaleString('en-US');
}

export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) {
    return NONE;
  }
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : Number(size.toPrecision(2))} ${units[unit] ?? ''}`;
}

/** Money with the currency's sign; small prices keep the digits that matter. */
export function formatMoney(amount: number | null | undefined, currency = 'EUR'): string {
  if (amount === null || amount === undefined) {
    return NONE;
  }
  const sign = { EUR: '€', USD: '$', GBP: '£' }[currency] ?? currency;
  const digits = amount === 0 || Math.abs(amount) >= 0.1 ? 2 : Math.abs(amount) >= 0.001 ? 3 : 4;
  return `${sign} ${amount.toFixed(digits)}`;
}

export function formatDuration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || ms < 0) {
    return NONE;
  }
  if (ms < 1000) {
    return `${Math.round(ms)} ms`;
  }
  const seconds = ms / 1000;
  if (seconds < 59.5) {
    return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  }
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) {
    return `${minutes} min ${whole % 60} s`;
  }
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function formatAgo(at: number | null | undefined, now = Date.now()): string {
  if (!at) {
    return NONE;
  }
  const seconds = Math.max(0, (now - at) / 1000);
  if (seconds < 5) {
    return 'just now';
  }
  if (seconds < 60) {
    return `${Math.floor(seconds)} s ago`;
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min ago`;
  }
  if (seconds < 86400) {
    return `${Math.floor(seconds / 3600)} h ago`;
  }
  return seconds < 30 * 86400 ? `${Math.floor(seconds / 86400)} d ago` : new Date(at).toISOString().slice(0, 10);
}

export function formatExact(at: number | null | undefined): string {
  return at ? new Date(at).toLocaleString() : '';
}

export function shortId(id: string): string {
  return id.length <= 12 ? id : id.slice(0, 8);
}

export function formatPercent(part: number, digits = 1): string {
  return `${(part * 100).toFixed(part === 0 || part === 1 ? 0 : digits)} %`;
}
