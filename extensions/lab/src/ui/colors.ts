/** Colours as text, and what is between them. */

/** `rgb(…)` or `color(srgb …)`, as browsers compute them, as #rrggbb or rgba(…). */
export function plainColor(computed: string): string {
  const wide = /^color\(srgb\s+([\d.e-]+)\s+([\d.e-]+)\s+([\d.e-]+)(?:\s*\/\s*([\d.]+))?\)$/.exec(computed);
  const narrow = /^rgba?\(\s*([\d.]+)[,\s]+([\d.]+)[,\s]+([\d.]+)(?:[,\s/]+([\d.]+))?\s*\)$/.exec(computed);
  const found = wide ?? narrow;
  if (!found) {
    return computed;
  }
  const channels = found.slice(1, 4).map(part => Math.round(Math.min(255, Math.max(0, Number(part) * (wide ? 255 : 1)))));
  const alpha = found[4] === undefined ? 1 : Number(found[4]);
  return alpha < 1 ? `rgba(${channels.join(', ')}, ${alpha})` : `#${channels.map(channel => channel.toString(16).padStart(2, '0')).join('')}`;
}

/** The colour at `share` (0…1) of the way from one to the other, both #rrggbb. */
export function between(from: string, to: string, share: number): string {
  const channel = (color: string, at: number): number => parseInt(color.slice(at, at + 2), 16);
  const mixed = [1, 3, 5].map(at => Math.round(channel(from, at) + (channel(to, at) - channel(from, at)) * share));
  return `#${mixed.map(value => value.toString(16).padStart(2, '0')).join('')}`;
}

/** The colour with an opacity, from #rrggbb or rgba(…). */
export function faint(color: string, alpha: number): string {
  return color.startsWith('#') ? `${color}${Math.round(alpha * 255).toString(16).padStart(2, '0')}` : color.replace(/[\d.]+\)$/, `${alpha})`);
}
