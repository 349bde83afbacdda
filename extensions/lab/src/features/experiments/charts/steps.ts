import type { Run } from '../../../api/model';
import { Range, drawn, xOf } from './axes';
import type { ICurve } from './curve-data';
import type { Scale } from './series';

/** The steps that lie in a range of the x axis, with one known point to each side; null if nothing there was thinned out. */
export function stepsWithin(curves: readonly { run: Run; curve: ICurve | null | undefined }[], range: Range, scale: Scale): [number, number] | null {
  let least = Infinity;
  let most = -Infinity;
  for (const { run, curve } of curves) {
    if (!curve?.isThinned) {
      continue;
    }
    const places = curve.points.map(point => drawn(xOf(point, scale.x, run.start_ms), scale.logX));
    const first = places.findIndex(place => place >= range[0]);
    const after = places.findIndex(place => place > range[1]);
    const from = curve.points[Math.max(0, first - 1)];
    const to = curve.points[after === -1 ? curve.points.length - 1 : after];
    if (first !== -1 && from && to) {
      least = Math.min(least, from[0]);
      most = Math.max(most, to[0]);
    }
  }
  return least <= most ? [least, most] : null;
}
