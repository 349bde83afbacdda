import { KeyboardEvent, PointerEvent, ReactNode, useRef, useState } from 'react';

import { drag } from './drag';

interface ISplitProps {
  label: string;
  /** Under this name the size is kept in this browser. */
  name: string;
  /** The size in pixels of the part that is given, at first. */
  size: number;
  least: number;
  side: 'bottom' | 'left';
  part: ReactNode;
  children: ReactNode;
}

const STEP = 24;

/** Two parts with an edge that is dragged, or moved by arrows; one of them may be away. */
export function Resizable({ label, name, size, least, side, part, children }: ISplitProps): JSX.Element {
  const key = `jupyterlab-studio:size:${name}`;
  const [kept, setKept] = useState(() => Number(localStorage.getItem(key)) || size);
  const root = useRef<HTMLDivElement>(null);
  const isBottom = side === 'bottom';
  const set = (wanted: number): void => {
    const room = (isBottom ? root.current?.clientHeight : root.current?.clientWidth) ?? 0;
    const next = Math.round(Math.max(least, Math.min(wanted, room - least)));
    setKept(next);
    localStorage.setItem(key, String(next));
  };
  const onPointerDown = (event: PointerEvent): void => {
    event.preventDefault();
    const moved = (dx: number, dy: number): void => set(kept + (isBottom ? -dy : dx));
    drag(event, moved, moved);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = isBottom ? { ArrowUp: STEP, ArrowDown: -STEP } : { ArrowRight: STEP, ArrowLeft: -STEP };
    const step = steps[event.key];
    if (step) {
      event.preventDefault();
      set(kept + step);
    }
  };
  const edge = part && (
    <div className="jp-Studio-edge" role="separator" aria-label={label} aria-orientation={isBottom ? 'horizontal' : 'vertical'} aria-valuenow={kept} tabIndex={0} onPointerDown={onPointerDown} onKeyDown={onKeyDown} />
  );
  const sized = part && (
    <div className="jp-Studio-sized" style={isBottom ? { height: kept } : { width: kept }}>
      {part}
    </div>
  );
  return (
    <div ref={root} className={`jp-Studio-resizable jp-mod-${side}`}>
      {!isBottom && sized}
      {!isBottom && edge}
      <div className="jp-Studio-resizableMain">{children}</div>
      {isBottom && edge}
      {isBottom && sized}
    </div>
  );
}
