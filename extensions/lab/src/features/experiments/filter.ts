/** The filter language of MLflow's searches, as far as completing it while it is typed needs. The server judges it. */

import { IColumnName, columnOf } from './columns';

export interface IKnownKeys {
  metrics: readonly string[];
  params: readonly string[];
  tags: readonly string[];
}

export interface IOption {
  /** What is written. */
  text: string;
  /** What is said beside it. */
  detail?: string;
}

export interface ICompletion {
  /** The part of the text that an option takes the place of. */
  from: number;
  to: number;
  options: IOption[];
  /** Whose values are to be asked for. */
  column?: string;
  begins?: string;
}

type Kind = 'space' | 'number' | 'string' | 'name' | 'op' | 'open' | 'close' | 'comma' | 'bad';

interface IToken {
  kind: Kind;
  text: string;
  at: number;
}

const TOKEN = /(?<space>\s+)|(?<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.]))|(?<string>'(?:[^']|'')*'?|"(?:[^"]|"")*"?)(?!\s*\.)|(?<name>[A-Za-z_]\w*\.`[^`]*`?|[A-Za-z_]\w*\."[^"]*"?|`[^`]*`?|[A-Za-z_][\w./:@-]*)|(?<op><=|>=|!=|<>|=|<|>)|(?<open>\()|(?<close>\))|(?<comma>,)|(?<bad>.)/gsu;
const WORDS = new Set(['AND', 'IN', 'NOT', 'IS', 'NULL', 'LIKE', 'ILIKE']);
const NUMBER_OPS = ['>', '>=', '<', '<=', '=', '!='];
const TEXT_OPS = ['=', '!=', 'LIKE', 'ILIKE', 'IS NULL', 'IS NOT NULL'];
const STATUSES = ['FINISHED', 'RUNNING', 'FAILED', 'KILLED', 'SCHEDULED'];
const TEXT_ATTRIBUTES = ['run_name', 'status', 'user_id', 'run_id'];
const NUMBER_ATTRIBUTES = ['start_time', 'end_time'];
const MOST = 50;

export function tokens(text: string): IToken[] {
  return [...text.matchAll(TOKEN)].map(match => {
    const kind = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined)?.[0] as Kind;
    return { kind, text: match[0], at: match.index };
  });
}

/** What can stand where the caret is; no options where anything could. */
export function completionAt(text: string, caret: number, keys: IKnownKeys): ICompletion {
  const before = tokens(text.slice(0, caret));
  const last = before[before.length - 1];
  const typing = last && last.kind !== 'space' && last.at + last.text.length === caret ? last : undefined;
  const done = before.filter(token => token.kind !== 'space' && token !== typing);
  const from = typing?.at ?? caret;
  const state = stateAfter(done);
  const typed = typing?.text ?? '';
  if (state.expects === 'name') {
    return { from, to: endOf(text, caret, /[\w./:@`"-]/), options: matching(names(keys), typed) };
  }
  if (state.expects === 'op') {
    const isNumber = state.column !== undefined && isNumeric(state.column);
    return { from, to: caret, options: matching((isNumber ? NUMBER_OPS : TEXT_OPS).map(op => ({ text: op })), typed) };
  }
  if (state.expects === 'value') {
    const begins = typed.replace(/^['"]|['"]$/g, '').replace(/''/g, "'");
    const column = state.column && !isNumeric(state.column) ? state.column : undefined;
    const to = endOf(text, caret, typed ? /[^\s')]/ : /$^/) + (typed && text[endOf(text, caret, /[^\s')]/)] === "'" ? 1 : 0);
    const options = column?.key === 'status' && column.kind === 'attributes' ? matching(STATUSES.map(word => ({ text: quote(word) })), typed) : [];
    return { from, to, options, begins, column: column && options.length === 0 ? `${column.kind}.${column.key === 'user_id' ? 'user' : column.key}` : undefined };
  }
  return { from, to: caret, options: typed.toUpperCase() === 'AND' ? [] : matching([{ text: 'AND' }], typed) };
}

interface IState {
  expects: 'name' | 'op' | 'value' | 'and';
  column?: IColumnName;
}

function stateAfter(done: IToken[]): IState {
  let state: IState = { expects: 'name' };
  let isList = false;
  for (const { kind, text } of done) {
    const word = text.toUpperCase();
    if (kind === 'open') {
      isList = true;
    } else if (isList) {
      isList = kind !== 'close';
      state = isList ? state : { expects: 'and' };
    } else if (state.expects === 'and') {
      state = word === 'AND' ? { expects: 'name' } : state;
    } else if (state.expects === 'name') {
      state = { expects: 'op', column: written(text) };
    } else if (kind === 'op' || ['LIKE', 'ILIKE', 'IN'].includes(word)) {
      state = { expects: 'value', column: state.column };
    } else if (word === 'NULL' || state.expects === 'value') {
      state = { expects: 'and' };
    }
  }
  return state;
}

/** The column that a name in a filter means. */
function written(text: string): IColumnName | undefined {
  const [kind, ...rest] = text.split('.');
  const key = rest.join('.').replace(/^[`"]|[`"]$/g, '');
  const kinds: Record<string, string> = { metric: 'metrics', metrics: 'metrics', param: 'params', params: 'params', parameter: 'params', tag: 'tags', tags: 'tags', attribute: 'attributes', attributes: 'attributes', attr: 'attributes' };
  const known = kinds[kind ?? ''];
  return (known ? columnOf(`${known}.${key}`) : columnOf(`attributes.${text.replace(/[`"]/g, '')}`)) ?? undefined;
}

function isNumeric(column: IColumnName): boolean {
  return column.kind === 'metrics' || (column.kind === 'attributes' && NUMBER_ATTRIBUTES.includes(column.key));
}

function names(keys: IKnownKeys): IOption[] {
  return [
    ...keys.metrics.map(key => ({ text: identifier('metrics', key), detail: 'metric' })),
    ...keys.params.map(key => ({ text: identifier('params', key), detail: 'param' })),
    ...[...TEXT_ATTRIBUTES, ...NUMBER_ATTRIBUTES].map(key => ({ text: `attributes.${key}`, detail: 'attribute' })),
    ...keys.tags.map(key => ({ text: identifier('tags', key), detail: 'tag' }))
  ];
}

function matching(options: IOption[], typed: string): IOption[] {
  const wanted = typed.toLowerCase().replace(/[`"]/g, '');
  const plain = (option: IOption): string => option.text.toLowerCase().replace(/[`"]/g, '');
  const begins = options.filter(option => plain(option).startsWith(wanted));
  const holds = options.filter(option => !begins.includes(option) && plain(option).includes(wanted));
  const found = [...begins, ...holds].slice(0, MOST);
  return found.length === 1 && found[0]?.text === typed ? [] : found;
}

function endOf(text: string, caret: number, part: RegExp): number {
  let end = caret;
  while (end < text.length && part.test(text[end] ?? '')) {
    end += 1;
  }
  return end;
}

/** A key as the language writes it: in backticks where it is not a plain word. */
export function identifier(kind: string, key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) && !WORDS.has(key.toUpperCase()) ? `${kind}.${key}` : `${kind}.\`${key}\``;
}

export function quote(value: string): string {
  return `'${value.replace(/'/g, "''")}'`;
}

/** `filter` and that a column has this value; null: that it has none. */
export function narrowed(filter: string, name: string, value: string | null): string {
  const column = columnOf(name);
  if (!column) {
    return filter;
  }
  const key = column.kind === 'attributes' && column.key === 'user' ? 'user_id' : column.key;
  const part = `${identifier(column.kind, key)} ${value === null ? 'IS NULL' : `= ${quote(value)}`}`;
  return filter.trim() ? `${filter.trim()} AND ${part}` : part;
}

/** The text with an option in its place, and where the caret is then. */
export function completed(text: string, { from, to }: ICompletion, option: IOption): { text: string; caret: number } {
  const rest = text.slice(to);
  const start = text.slice(0, from) + option.text + (/^\s/.test(rest) ? '' : ' ');
  return { text: start + rest, caret: start.length + (/^\s/.test(rest) ? 1 : 0) };
}
