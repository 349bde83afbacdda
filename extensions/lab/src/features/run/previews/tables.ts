import type { Cell } from '../../../api/model';

/** Columns and rows as they are shown; `cut`: there are more than these. */
export interface ITable {
  columns: string[];
  rows: Cell[][];
  cut: boolean;
}

const MOST_ROWS = 1000;
const MOST_COLUMNS = 200;

/**
 * Reads comma- or tab-separated text (RFC 4180: quotes, doubled quotes, line ends in quotes). Of a file that was cut,
 * the last row is left out, since it may be half.
 */
export function parseCsv(text: string, separator: string, cut: boolean): ITable {
  const lines: string[][] = [];
  let line: string[] = [];
  let cell = '';
  let quoted = false;
  let whole = false;
  const end = (): void => {
    line.push(cell);
    cell = '';
    if (line.length > 1 || line[0] !== '') {
      lines.push(line);
    }
    line = [];
  };
  for (let i = text.charCodeAt(0) === 0xfeff ? 1 : 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (quoted) {
      if (char !== '"') {
        cell += char;
      } else if (text.charAt(i + 1) === '"') {
        cell += char;
        i += 1;
      } else {
        quoted = false;
      }
    } else if (char === '"' && cell === '') {
      quoted = true;
    } else if (char === separator) {
      line.push(cell);
      cell = '';
    } else if (char === '\n') {
      end();
      whole = true;
      if (lines.length > MOST_ROWS + 1) {
        break;
      }
    } else if (char !== '\r' || text.charAt(i + 1) !== '\n') {
      cell += char;
      whole = false;
    }
  }
  if ((cell !== '' || line.length > 0) && !(cut && !whole)) {
    end();
  }
  const [columns = [], ...rows] = lines;
  return trimmed(columns, rows, cut);
}

/** The table in a JSON document: MLflow's and pandas' {columns, data}, or a list of flat records; null if it is none. */
export function tableOf(value: unknown): ITable | null {
  if (Array.isArray(value)) {
    return value.length > 0 && value.every(isFlat) ? ofRecords(value) : null;
  }
  if (typeof value !== 'object' || value === null) {
    return null;
  }
  const { columns, data } = value as { columns?: unknown; data?: unknown };
  if (!Array.isArray(columns) || !Array.isArray(data) || !data.every(Array.isArray)) {
    return null;
  }
  return trimmed(columns.map(String), (data as unknown[][]).slice(0, MOST_ROWS + 1).map(row => row.map(toCell)), false);
}

function ofRecords(records: Record<string, unknown>[]): ITable {
  const columns = [...new Set(records.slice(0, MOST_ROWS).flatMap(record => Object.keys(record)))];
  const rows = records.slice(0, MOST_ROWS + 1).map(record => columns.map(column => toCell(record[column] ?? null)));
  return trimmed(columns, rows, false);
}

function isFlat(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(item => typeof item !== 'object' || item === null);
}

function toCell(value: unknown): Cell {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value as Cell);
}

function trimmed(columns: string[], rows: Cell[][], cut: boolean): ITable {
  return {
    columns: columns.slice(0, MOST_COLUMNS),
    rows: rows.slice(0, MOST_ROWS).map(row => row.slice(0, MOST_COLUMNS)),
    cut: cut || rows.length > MOST_ROWS || columns.length > MOST_COLUMNS
  };
}
