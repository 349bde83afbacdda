import { KeyboardEvent, PointerEvent, ReactNode, useRef, useState } from 'react';

import { useStudio } from '../hooks';
import { Icon } from '../icons';
import { drag } from './drag';
import type { IPlaced, ISized } from './gridplaces';

const LEAST = 48;
const MOST = 800;
const SLOP = 5;

export interface IGridColumn extends ISized {
  label: string;
  /** Said beside the label in small letters: which of its values. */
  badge?: string;
  title?: string;
  align?: 'right';
  sort?: { descending: boolean; rank: number };
  isFixed?: boolean;
}

type Place = IPlaced<IGridColumn>;

interface IGridHeadProps {
  width: number;
  check: number;
  pinned: readonly Place[];
  pinnedWidth: number;
  rest: readonly Place[];
  /** Keys of all columns, those out of sight too. */
  order: string[];
  allSelected: boolean;
  onSelectAll: () => void;
  onHead: (key: string, adds: boolean) => void;
  onMenu: (key: string, x: number, y: number) => void;
  onMove: (key: string, before: string | null) => void;
  onResizing: (size: ISized | null) => void;
  onResize: (key: string, width: number) => void;
}

/** The head: a click sorts, with shift by one more column; a drag moves a column, at its edge it changes the width. */
export function GridHead(props: IGridHeadProps): JSX.Element {
  const { trans } = useStudio();
  const [drop, setDrop] = useState<number | null>(null);
  const head = useRef<HTMLDivElement>(null);
  const cell = (place: Place): ReactNode => <HeadCell key={place.column.key} place={place} {...props} head={head} onDrop={setDrop} />;
  return (
    <div ref={head} className="jp-Studio-gridHead" role="row" style={{ width: props.width }}>
      <div className="jp-Studio-gridPinned" style={{ width: props.pinnedWidth }}>
        <span className="jp-Studio-cell jp-mod-check" role="columnheader">
          <input type="checkbox" tabIndex={-1} checked={props.allSelected} aria-label={trans.__('Select all')} onChange={props.onSelectAll} onClick={event => event.stopPropagation()} />
        </span>
        {props.pinned.map(cell)}
      </div>
      {props.rest.map(cell)}
      {drop !== null && <i className="jp-Studio-gridDrop" style={{ left: drop }} />}
    </div>
  );
}

interface IHeadCellProps extends IGridHeadProps {
  place: Place;
  head: React.RefObject<HTMLDivElement>;
  onDrop: (left: number | null) => void;
}

function HeadCell({ place, head, onDrop, order, onHead, onMenu, onMove, onResizing, onResize }: IHeadCellProps): JSX.Element {
  const { trans } = useStudio();
  const { column, left, width } = place;
  const wasDragged = useRef(false);
  /** The column before which a pointer would drop, and where its edge is in the head. */
  const target = (x: number): { before: string | null; left: number } => {
    const cells = [...(head.current?.querySelectorAll<HTMLElement>('[data-head]') ?? [])].map(element => ({ key: element.dataset['head'] ?? '', box: element.getBoundingClientRect() }));
    const origin = head.current?.getBoundingClientRect().left ?? 0;
    const next = cells.find(({ box }) => x < box.left + box.width / 2);
    const end = cells[cells.length - 1]?.box.right ?? 0;
    const after = cells[cells.length - 1]?.key;
    return { before: next?.key ?? order[order.indexOf(after ?? '') + 1] ?? null, left: (next?.box.left ?? end) - origin };
  };
  const onPointerDown = (event: PointerEvent): void => {
    wasDragged.current = false;
    if (event.button !== 0 || column.isFixed) {
      return;
    }
    drag(
      event,
      (dx, _, moved) => {
        wasDragged.current ||= Math.abs(dx) > SLOP;
        onDrop(wasDragged.current ? target(moved.clientX).left : null);
      },
      (dx, _, ended) => {
        onDrop(null);
        if (Math.abs(dx) > SLOP) {
          onMove(column.key, target(ended.clientX).before);
        }
      }
    );
  };
  const onResizeDown = (event: PointerEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    const size = (dx: number): number => Math.round(Math.min(MOST, Math.max(LEAST, width + dx)));
    drag(
      event,
      dx => onResizing({ key: column.key, width: size(dx) }),
      dx => {
        onResizing(null);
        onResize(column.key, size(dx));
      }
    );
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const at = order.indexOf(column.key);
    if (event.altKey && event.key === 'ArrowLeft' && at > 0) {
      onMove(column.key, order[at - 1] ?? null);
    } else if (event.altKey && event.key === 'ArrowRight' && at < order.length - 1) {
      onMove(column.key, order[at + 2] ?? null);
    } else if (event.key === 'ArrowDown' || event.key === 'ContextMenu') {
      const box = event.currentTarget.getBoundingClientRect();
      onMenu(column.key, box.left, box.bottom);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  const fit = (): void => {
    const cells = head.current?.parentElement?.querySelectorAll<HTMLElement>(`[data-column="${CSS.escape(column.key)}"], [data-head="${CSS.escape(column.key)}"]`) ?? [];
    const range = document.createRange();
    const widths = [...cells].map(element => {
      range.selectNodeContents(element);
      return range.getBoundingClientRect().width;
    });
    onResize(column.key, Math.round(Math.min(MOST, Math.max(LEAST, ...widths) + 20)));
  };
  const { sort } = column;
  return (
    <span
      className={`jp-Studio-cell jp-Studio-gridHeadCell${column.align ? ' jp-mod-right' : ''}`}
      style={{ left, width }}
      role="columnheader"
      aria-sort={sort ? (sort.descending ? 'descending' : 'ascending') : undefined}
      title={column.title ?? column.label}
      data-head={column.key}
      onContextMenu={event => {
        event.preventDefault();
        event.stopPropagation();
        onMenu(column.key, event.clientX, event.clientY);
      }}
    >
      <button
        type="button"
        onPointerDown={onPointerDown}
        onKeyDown={onKeyDown}
        onClick={event => {
          event.stopPropagation();
          if (!wasDragged.current) {
            onHead(column.key, event.shiftKey);
          }
        }}
      >
        <span className="jp-Studio-headText">{column.label}</span>
        {column.badge && <small>{column.badge}</small>}
        {sort && (
          <span className={`jp-Studio-sort${sort.descending ? ' jp-mod-down' : ''}`}>
            <Icon name="up" size={12} />
          </span>
        )}
        {sort && sort.rank > 0 && <small>{sort.rank}</small>}
      </button>
      <button
        type="button"
        tabIndex={-1}
        className="jp-Studio-gridHeadMenu"
        title={trans.__('Sort, pin, hide')}
        onClick={event => {
          event.stopPropagation();
          const box = event.currentTarget.getBoundingClientRect();
          onMenu(column.key, box.left, box.bottom);
        }}
      >
        <Icon name="down" size={12} />
      </button>
      <i className="jp-Studio-gridEdge" onPointerDown={onResizeDown} onDoubleClick={fit} onClick={event => event.stopPropagation()} />
    </span>
  );
}
