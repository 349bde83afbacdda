import { KeyboardEvent, MouseEvent, ReactNode, memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';

import { useStudio } from '../hooks';
import { TEST } from '../testids';
import { GridHead, IGridColumn } from './gridhead';
import { IPlaced, inSight, placed } from './gridplaces';

export const ROW = 28;
const CHECK = 32;
const OVERSCAN = 10;
/** Rows are drawn in steps of so many, so that not every pixel of a scroll draws something. */
const STEP = 4;
/** So far a line that has moved is looked for. */
const FAR = 2000;

export type { IGridColumn } from './gridhead';

interface IGridProps<L> {
  name: string;
  label: string;
  columns: IGridColumn[];
  /** So many of the first columns stay while the others scroll sideways. */
  pinned: number;
  length: number;
  lineAt: (index: number) => L | undefined;
  /** A name that stays with the line; the place itself while it is not read. */
  keyOf: (line: L | undefined, index: number) => string;
  /** What browser tests call it. */
  testKey: (line: L) => string;
  cell: (line: L, column: IGridColumn) => ReactNode;
  /** What a line is besides an ordinary one: jp-mod-group, jp-mod-nested. */
  lineClass?: (line: L) => string;
  isSelected: (index: number) => boolean;
  /** Changes when lines may have changed. */
  version: unknown;
  focused: number;
  onFocus: (index: number) => void;
  onOpen: (index: number) => void;
  /** `extends`: from the last one chosen to here. */
  onSelect: (index: number, extend: boolean) => void;
  onSelectAll: () => void;
  allSelected: boolean;
  onRange: (first: number, last: number) => void;
  onMenu?: (index: number, x: number, y: number) => void;
  /** Left and right arrows; true if that meant something for the line. */
  onArrow?: (index: number, step: -1 | 1) => boolean;
  onHead: (key: string, adds: boolean) => void;
  onHeadMenu: (key: string, x: number, y: number) => void;
  onResize: (key: string, width: number) => void;
  onMove: (key: string, before: string | null) => void;
}

/**
 * A table of any length and width: only what is in sight is in the document. Rows of one height; the head and the first
 * columns stay. Arrows, Page and Home/End move; with shift they select; Space selects; Enter opens.
 */
export function Grid<L>(props: IGridProps<L>): JSX.Element {
  const { name, columns, pinned, length, lineAt, keyOf, version, focused, onRange } = props;
  const { trans } = useStudio();
  const body = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ first: 0, last: 40, left: 0, width: 1200 });
  const [resizing, setResizing] = useState<{ key: string; width: number } | null>(null);
  const look = useCallback(() => {
    const element = body.current;
    if (!element) {
      return;
    }
    const first = Math.max(0, Math.floor((element.scrollTop / ROW - OVERSCAN) / STEP) * STEP);
    const last = Math.ceil((element.scrollTop + element.clientHeight) / ROW / STEP) * STEP + OVERSCAN;
    const left = Math.floor(element.scrollLeft / 64) * 64;
    setSight(before => (before.first === first && before.last === last && before.left === left && before.width === element.clientWidth ? before : { first, last, left, width: element.clientWidth }));
  }, []);
  useLayoutEffect(() => {
    const element = body.current;
    if (!element) {
      return;
    }
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, [look]);
  useAnchor(body, props);

  const last = Math.min(length, sight.last);
  useEffect(() => {
    if (last > sight.first) {
      onRange(sight.first, last - 1);
    }
  }, [sight.first, last, version, onRange]);

  const places = useMemo(() => placed(columns, pinned, CHECK, resizing), [columns, pinned, resizing]);
  const scrolled = useMemo(() => inSight(places.rest, sight.left, sight.width), [places, sight.left, sight.width]);
  const width = Math.max(places.width, sight.width);

  const go = (to: number, extend = false): void => {
    const index = Math.max(0, Math.min(length - 1, to));
    const element = body.current;
    if (!element || length === 0) {
      return;
    }
    if (extend) {
      props.onSelect(index, true);
    }
    props.onFocus(index);
    const y = index * ROW;
    if (y < element.scrollTop) {
      element.scrollTop = y;
    } else if (y + 2 * ROW > element.scrollTop + element.clientHeight) {
      element.scrollTop = y + 2 * ROW - element.clientHeight;
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== body.current) {
      return;
    }
    const page = Math.max(1, Math.floor((body.current?.clientHeight ?? 0) / ROW) - 2);
    const moves: Record<string, number> = { ArrowDown: focused + 1, ArrowUp: focused - 1, PageDown: focused + page, PageUp: focused - page, Home: 0, End: length - 1 };
    const to = moves[event.key];
    if (to !== undefined) {
      go(to, event.shiftKey);
    } else if (event.key === 'Enter' && focused >= 0) {
      props.onOpen(focused);
    } else if (event.key === ' ' && focused >= 0) {
      props.onSelect(focused, event.shiftKey);
    } else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
      props.onSelectAll();
    } else if ((event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey)) && focused >= 0 && props.onMenu) {
      const box = body.current.getBoundingClientRect();
      props.onMenu(focused, box.left + 48, box.top + (focused + 2) * ROW - body.current.scrollTop);
    } else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      const step = event.key === 'ArrowLeft' ? -1 : 1;
      if (!props.onArrow?.(focused, step)) {
        body.current.scrollLeft += step * 120;
      }
    } else {
      return;
    }
    event.preventDefault();
  };
  const onClick = (event: MouseEvent): void => {
    const index = indexUnder(event.target);
    if (index < 0) {
      return;
    }
    props.onFocus(index);
    if ((event.target as HTMLElement).closest('.jp-mod-check')) {
      props.onSelect(index, event.shiftKey);
    } else if (event.shiftKey || event.ctrlKey || event.metaKey) {
      props.onSelect(index, event.shiftKey);
    } else if (!(event.target as HTMLElement).closest('button, a')) {
      props.onOpen(index);
    }
  };
  const onContextMenu = (event: MouseEvent): void => {
    const index = indexUnder(event.target);
    if (index >= 0 && props.onMenu) {
      event.preventDefault();
      // JupyterLab has a menu of its own for everything in it.
      event.stopPropagation();
      props.onFocus(index);
      props.onMenu(index, event.clientX, event.clientY);
    }
  };
  const indexes = Array.from({ length: Math.max(0, last - sight.first) }, (_, n) => sight.first + n);
  return (
    <div
      ref={body}
      className="jp-Studio-gridTable"
      role="grid"
      aria-label={props.label}
      aria-rowcount={length}
      aria-colcount={columns.length}
      aria-multiselectable
      aria-activedescendant={focused >= 0 ? `${name}-${focused}` : undefined}
      tabIndex={0}
      data-testid={TEST.table(name)}
      onScroll={look}
      onKeyDown={onKeyDown}
      onClick={onClick}
      onContextMenu={onContextMenu}
      onMouseDown={(event: MouseEvent) => event.shiftKey && event.preventDefault()}
    >
      <GridHead
        width={width}
        check={CHECK}
        pinned={places.pinned}
        pinnedWidth={places.pinnedWidth}
        rest={scrolled}
        allSelected={props.allSelected}
        onSelectAll={props.onSelectAll}
        onHead={props.onHead}
        onMenu={props.onHeadMenu}
        onMove={props.onMove}
        onResizing={setResizing}
        onResize={props.onResize}
        order={columns.map(column => column.key)}
      />
      <div className="jp-Studio-gridBody" style={{ height: length * ROW, width }}>
        {indexes.map(index => {
          const line = lineAt(index);
          return (
            <Row
              key={keyOf(line, index)}
              id={`${name}-${index}`}
              table={name}
              testKey={line === undefined ? '' : props.testKey(line)}
              className={line === undefined ? '' : (props.lineClass?.(line) ?? '')}
              line={line}
              index={index}
              width={width}
              pinnedWidth={places.pinnedWidth}
              pinned={places.pinned}
              rest={scrolled}
              isSelected={props.isSelected(index)}
              isFocused={index === focused}
              cell={props.cell as (line: unknown, column: IGridColumn) => ReactNode}
              selectLabel={trans.__('Select')}
            />
          );
        })}
      </div>
    </div>
  );
}

function indexUnder(target: EventTarget): number {
  const row = (target as HTMLElement).closest<HTMLElement>('.jp-Studio-gridRow');
  return row ? Number(row.dataset['index']) : -1;
}

/** Lines that come in above what is looked at move it along, so that nothing jumps under the eye. */
function useAnchor<L>(body: React.RefObject<HTMLDivElement>, { keyOf, lineAt, length, version }: IGridProps<L>): void {
  const anchor = useRef<{ key: string; index: number } | null>(null);
  useLayoutEffect(() => {
    const element = body.current;
    const before = anchor.current;
    const isAt = (index: number): boolean => {
      const line = lineAt(index);
      return line !== undefined && keyOf(line, index) === before?.key;
    };
    if (element && before && element.scrollTop >= ROW && !isAt(before.index)) {
      const reach = Math.min(length, before.index + FAR);
      for (let index = Math.max(0, before.index - FAR); index < reach; index += 1) {
        if (isAt(index)) {
          element.scrollTop += (index - before.index) * ROW;
          break;
        }
      }
    }
    // Only when lines changed; scrolling itself moves the anchor below.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [version]);
  useEffect(() => {
    const element = body.current;
    if (!element) {
      return;
    }
    const index = Math.ceil(element.scrollTop / ROW);
    const line = lineAt(index);
    anchor.current = line === undefined ? null : { key: keyOf(line, index), index };
  });
}

interface IRowProps {
  id: string;
  table: string;
  testKey: string;
  className: string;
  line: unknown;
  index: number;
  width: number;
  pinnedWidth: number;
  pinned: readonly IPlaced<IGridColumn>[];
  rest: readonly IPlaced<IGridColumn>[];
  isSelected: boolean;
  isFocused: boolean;
  cell: (line: unknown, column: IGridColumn) => ReactNode;
  selectLabel: string;
}

const Row = memo(function Row({ id, table, testKey, className, line, index, width, pinnedWidth, pinned, rest, isSelected, isFocused, cell, selectLabel }: IRowProps): JSX.Element {
  const content = ({ column, left, width: columnWidth }: IPlaced<IGridColumn>): JSX.Element => (
    <span key={column.key} className={`jp-Studio-cell${column.align ? ' jp-mod-right' : ''}`} style={{ left, width: columnWidth }} role="gridcell" data-column={column.key}>
      {line === undefined ? <i className="jp-Studio-gridWaits" /> : cell(line, column)}
    </span>
  );
  return (
    <div
      id={id}
      className={`jp-Studio-gridRow ${className}${isFocused ? ' jp-mod-focused' : ''}`}
      style={{ transform: `translateY(${index * ROW}px)`, width }}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={isSelected}
      data-index={index}
      data-testid={testKey ? TEST.row(table, testKey) : undefined}
    >
      <div className="jp-Studio-gridPinned" style={{ width: pinnedWidth }}>
        <span className="jp-Studio-cell jp-mod-check" role="gridcell">
          <input type="checkbox" tabIndex={-1} checked={isSelected} aria-label={selectLabel} readOnly />
        </span>
        {pinned.map(content)}
      </div>
      {rest.map(content)}
    </div>
  );
});
