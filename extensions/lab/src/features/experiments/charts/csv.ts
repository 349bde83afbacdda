/** Values as CSV (RFC 4180): quoted where needed; what a spreadsheet would run as a formula is marked as text. */

export type CsvCell = string | number | null | undefined;

export function csvOf(header: readonly string[], rows: readonly (readonly CsvCell[])[]): string {
  return [header, ...rows].map(row => row.map(cellOf).join(',')).join('\r\n') + '\r\n';
}

function cellOf(value: CsvCell): string {
  if (value === null || value === undefined) {
    return '';
  }
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) && Number.isNaN(Number(value)) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
