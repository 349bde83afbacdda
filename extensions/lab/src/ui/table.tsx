import { KeyboardEvent, ReactNode, UIEvent, useCallback, useEffect, useRef, useState } from 'react';

import { useStudio } from '../hooks';
import { Icon } from '../icons';
import { TEST } from '../testids';

const ROW = 28;
const OVERSCAN = 8;

export interface IColumn<R> {
  key: string;
  label: string;
  /** Least width in pixels. */
  width: number;
  /** Share of the room that is left; 0 keeps the width. */
  grow?: number;
  align?: 'right';
  title?: string;
  group?: string;
  sortable?: boolean;
  cell: (row: R) => ReactNode;
}

export interface ISort {
  key: string;
  descending: boolean;
}

interface IDataTableProps<R> {
  name: string;
  label: string;
  columns: IColumn<R>[];
  rows: R[];
  rowKey: (row: R) => string;
  active?: string;
  onOpen?: (row: R) => void;
  selected?: ReadonlySet<string>;
  onSelect?: (keys: Set<string>) => void;
  sort?: ISort;
  onSort?: (sort: ISort) => void;
  /** Height follows the rows, up to this many. */
  fit?: number;
}

/**
 * Rows of one height, only those in sight in the document. Arrows, Page and Home/End move; Enter opens; Space
 * selects. Scroll, focus and selection survive a refresh since rows are known by their key.
 */
export function DataTable<R>(props: IDataTableProps<R>): JSX.Element {
  const { name, columns, rows, rowKey, active, onOpen, selected, onSelect, fit } = props;
  const { trans } = useStudio();
  const body = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [focused, setFocused] = useState<string | null>(null);

  useEffect(() => {
    const element = body.current;
    if (!element) {
      return;
    }
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const index = rows.findIndex(row => rowKey(row) === (focused ?? active));
  const go = (to: number): void => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, to))];
    const element = body.current;
    if (row === undefined || !element) {
      return;
    }
    setFocused(rowKey(row));
    const y = rows.indexOf(row) * ROW;
    if (y < element.scrollTop) {
      element.scrollTop = y;
    } else if (y + 2 * ROW > element.scrollTop + element.clientHeight) {
      element.scrollTop = y + 2 * ROW - element.clientHeight;
    }
  };
  const toggle = (row: R): void => {
    const keys = new Set(selected);
    const key = rowKey(row);
    if (!keys.delete(key)) {
      keys.add(key);
    }
    onSelect?.(keys);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(height / ROW) - 2);
    const moves: Record<string, number> = { ArrowDown: index + 1, ArrowUp: index - 1, PageDown: index + page, PageUp: index - page, Home: 0, End: rows.length - 1 };
    const to = moves[event.key];
    const row = rows[index];
    if (to !== undefined) {
      go(to);
    } else if (event.key === 'Enter' && row !== undefined) {
      onOpen?.(row);
    } else if (event.key === ' ' && row !== undefined && onSelect) {
      toggle(row);
    } else {
      return;
    }
    event.preventDefault();
  };
  const onScroll = useCallback((event: UIEvent<HTMLDivElement>) => setTop(event.currentTarget.scrollTop), []);

  const first = Math.max(0, Math.floor(top / ROW) - OVERSCAN);
  const shown = rows.slice(first, Math.ceil((top + height) / ROW) + OVERSCAN);
  const template = (onSelect ? '32px ' : '') + columns.map(c => (c.grow === 0 ? `${c.width}px` : `minmax(${c.width}px, ${c.grow ?? 1}fr)`)).join(' ');
  const least = columns.reduce((sum, c) => sum + c.width, onSelect ? 32 : 0) + 8;
  return (
    <div
      ref={body}
      className="jp-Studio-table"
      style={fit ? { height: Math.min(rows.length, fit) * ROW + ROW + 2, flex: 'none' } : undefined}
      role="grid"
      aria-label={props.label}
      aria-rowcount={rows.length}
      aria-activedescendant={index >= 0 ? `${name}-${index}` : undefined}
      tabIndex={0}
      data-testid={TEST.table(name)}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <Header {...props} template={template} least={least} />
      <div className="jp-Studio-tableBody" style={{ height: rows.length * ROW, minWidth: least }}>
        {shown.map((row, i) => {
          const key = rowKey(row);
          const at = first + i;
          const isPicked = selected?.has(key) ?? false;
          return (
            <div
              key={key}
              id={`${name}-${at}`}
              className={`jp-Studio-row${key === active ? ' jp-mod-active' : ''}${key === focused ? ' jp-mod-focused' : ''}${onOpen ? ' jp-mod-clickable' : ''}`}
              style={{ top: at * ROW, gridTemplateColumns: template }}
              role="row"
              aria-rowindex={at + 1}
              aria-selected={onSelect ? isPicked : key === active}
              data-testid={TEST.row(name, key)}
              onClick={() => {
                setFocused(key);
                onOpen?.(row);
              }}
            >
              {onSelect && (
                <span className="jp-Studio-cell jp-mod-check" role="gridcell" onClick={event => event.stopPropagation()}>
                  <input type="checkbox" tabIndex={-1} checked={isPicked} aria-label={trans.__('Select')} onChange={() => toggle(row)} />
                </span>
              )}
              {columns.map(column => (
                <Cell key={column.key} column={column} row={row} />
              ))}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function Cell<R>({ column, row }: { column: IColumn<R>; row: R }): JSX.Element {
  const content = column.cell(row);
  const title = typeof content === 'string' && content.length > 8 ? content : undefined;
  return (
    <span className={`jp-Studio-cell${column.align ? ' jp-mod-right' : ''}`} role="gridcell" title={title}>
      {content}
    </span>
  );
}

function Header<R>(props: IDataTableProps<R> & { template: string; least: number }): JSX.Element {
  const { columns, rows, rowKey, selected, onSelect, sort, onSort } = props;
  const { trans } = useStudio();
  const all = rows.length > 0 && selected?.size === rows.length;
  return (
    <div className="jp-Studio-tableHead" role="row" style={{ gridTemplateColumns: props.template, minWidth: props.least }}>
      {onSelect && (
        <span className="jp-Studio-cell jp-mod-check" role="columnheader">
          <input type="checkbox" tabIndex={-1} checked={all} aria-label={trans.__('Select all')} onChange={() => onSelect(all ? new Set() : new Set(rows.map(rowKey)))} />
        </span>
      )}
      {columns.map(column => {
        const sorted = sort?.key === column.key;
        const text = (
          <>
            <span className="jp-Studio-headText">{column.label}</span>
            {sorted && (
              <span className={`jp-Studio-sort${sort.descending ? ' jp-mod-down' : ''}`}>
                <Icon name="up" size={12} />
              </span>
            )}
          </>
        );
        return (
          <span
            key={column.key}
            className={`jp-Studio-cell${column.align ? ' jp-mod-right' : ''}`}
            role="columnheader"
            aria-sort={sorted ? (sort.descending ? 'descending' : 'ascending') : undefined}
            title={column.title ?? column.label}
          >
            {column.sortable && onSort ? (
              <button type="button" onClick={() => onSort({ key: column.key, descending: sorted ? !sort.descending : column.align === 'right' })}>
                {text}
              </button>
            ) : (
              text
            )}
          </span>
        );
      })}
    </div>
  );
}
