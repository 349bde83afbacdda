/** Drawing of charts, one after the other: a frame draws as many as fit, so that scrolling and typing stay fluid. */

const FRAME_MS = 8;
const waiting = new Map<object, () => void>();
let asked = 0;

/** Draws in one of the next frames; asked for again before that, only the last drawing is done. */
export function drawSoon(owner: object, draw: () => void): void {
  waiting.delete(owner);
  waiting.set(owner, draw);
  asked ||= requestAnimationFrame(work);
}

/** Forgets what `owner` asked for. */
export function drawNever(owner: object): void {
  waiting.delete(owner);
}

function work(): void {
  asked = 0;
  const start = performance.now();
  for (const [owner, draw] of waiting) {
    waiting.delete(owner);
    draw();
    if (performance.now() - start > FRAME_MS) {
      break;
    }
  }
  if (waiting.size) {
    asked = requestAnimationFrame(work);
  }
}
