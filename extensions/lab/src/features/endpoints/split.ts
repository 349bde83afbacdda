import type { Variant } from '../../api/model';

/** Per cent of the traffic by variant, in tenths, together 100. */
export type Split = Readonly<Record<string, number>>;

const WHOLE = 1000;

/** Variants among which the traffic is divided: not those that only get copies, wait, or end. */
export function dividing(variants: readonly Variant[]): Variant[] {
  return variants.filter(v => !v.shadow && v.state === 'Serving');
}

/** How the traffic is divided now. */
export function splitOf(variants: readonly Variant[]): Split {
  const served = dividing(variants);
  return divided(
    served.map(v => v.name),
    served.map(v => v.weight),
    WHOLE
  );
}

/** The split when one variant gets `value` per cent: the others keep their proportions, or share alike if they had nothing. */
export function moved(split: Split, name: string, value: number): Split {
  const others = Object.keys(split).filter(other => other !== name);
  if (others.length === 0 || !(name in split)) {
    return split;
  }
  const own = Math.round(Math.min(100, Math.max(0, Number.isFinite(value) ? value : 0)) * 10);
  const before = others.map(other => split[other] ?? 0);
  const rest = divided(others, before.some(share => share > 0) ? before : before.map(() => 1), WHOLE - own);
  return Object.fromEntries(Object.keys(split).map(key => [key, key === name ? own / 10 : (rest[key] ?? 0)]));
}

export function isSame(a: Split, b: Split): boolean {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every(name => a[name] === b[name]);
}

/** The weight that gives a variant beside those of `weights` that share of the traffic. */
export function weightFor(percent: number, weights: readonly number[]): number {
  const rest = weights.reduce((sum, weight) => sum + weight, 0);
  return Number(((rest * percent) / (100 - percent)).toPrecision(6));
}

export function percentText(share: number): string {
  return `${Number(share.toFixed(1))} %`;
}

/** `whole` tenths by weight; what rounding leaves goes to the largest remainders, so that the sum is exact. */
function divided(names: readonly string[], weights: readonly number[], whole: number): Split {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const exact = weights.map(weight => (sum > 0 ? (weight / sum) * whole : 0));
  const tenths = exact.map(value => Math.floor(value + 1e-9));
  let left = sum > 0 ? whole - tenths.reduce((total, value) => total + value, 0) : 0;
  const order = exact.map((value, i) => ({ i, rest: value - Math.floor(value + 1e-9) })).sort((a, b) => b.rest - a.rest);
  for (const { i } of order) {
    if (left > 0) {
      tenths[i] = (tenths[i] ?? 0) + 1;
      left -= 1;
    }
  }
  return Object.fromEntries(names.map((name, i) => [name, (tenths[i] ?? 0) / 10]));
}
