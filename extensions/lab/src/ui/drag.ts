import type { PointerEvent } from 'react';

type Moved = (dx: number, dy: number, event: globalThis.PointerEvent) => void;

/** Follows a pointer that is held down: how far it has moved since, and where it ends. */
export function drag(event: PointerEvent, onMove: Moved, onEnd: Moved): void {
  const { clientX, clientY } = event;
  const tell = (told: Moved, moved: globalThis.PointerEvent): void => told(moved.clientX - clientX, moved.clientY - clientY, moved);
  const move = (moved: globalThis.PointerEvent): void => tell(onMove, moved);
  const end = (moved: globalThis.PointerEvent): void => {
    document.removeEventListener('pointermove', move);
    document.removeEventListener('pointerup', end);
    document.removeEventListener('pointercancel', end);
    tell(onEnd, moved);
  };
  document.addEventListener('pointermove', move);
  document.addEventListener('pointerup', end);
  document.addEventListener('pointercancel', end);
}
