/** Where the columns of a grid are; pure. */

export interface ISized {
  key: string;
  width: number;
}

export interface IPlaced<C> {
  column: C;
  left: number;
  width: number;
}

export interface IPlaces<C> {
  pinned: IPlaced<C>[];
  /** Of the pinned columns and the check boxes. */
  pinnedWidth: number;
  rest: IPlaced<C>[];
  width: number;
}

const END = 16;
const NEAR = 200;

/** The first `pinned` columns beside each other after `start` pixels, the others after them. */
export function placed<C extends ISized>(columns: readonly C[], pinned: number, start: number, resizing: ISized | null): IPlaces<C> {
  let left = start;
  const all = columns.map(column => {
    const width = resizing?.key === column.key ? resizing.width : column.width;
    left += width;
    return { column, left: left - width, width };
  });
  const pinnedWidth = all[pinned - 1] ? (all[pinned - 1]?.left ?? 0) + (all[pinned - 1]?.width ?? 0) : start;
  return { pinned: all.slice(0, pinned), pinnedWidth, rest: all.slice(pinned), width: left + END };
}

/** Those that can be seen when so much is scrolled off at the left, and some beside them. */
export function inSight<P extends { left: number; width: number }>(places: readonly P[], left: number, width: number): P[] {
  return places.filter(place => place.left + place.width > left - NEAR && place.left < left + width + NEAR);
}
