/** Numbers in cells: four significant digits, zeros at the end kept, so that a column can be read down. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  }
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e7) {
    return value.toLocaleString('en-US');
  }
  if (size >= 1e6 || size < 1e-4) {
    return value.toExponential(3).replace('e+', 'e');
  }
  return size >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(4);
}

/** A mean and its deviation with as many decimals as the mean has. */
export function paired(mean: number, deviation: number | null): [string, string] {
  const text = figure(mean);
  if (deviation === null) {
    return [text, ''];
  }
  const decimals = /^-?[\d,]*\.(\d+)$/.exec(text)?.[1]?.length;
  const rounded = decimals === undefined ? figure(deviation) : deviation.toFixed(decimals);
  return [text, Number(rounded) === 0 && deviation !== 0 ? figure(deviation) : rounded];
}

const UNITS: [number, string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
  [0, 'ms']
];

/** A mean time and its deviation in one unit: 7.5 ± 4.2 min. */
export function pairedTimes(mean: number, deviation: number | null): [string, string] {
  const [size, unit] = UNITS.find(([least]) => Math.abs(mean) >= least) ?? [0, 'ms'];
  const text = (ms: number): string => (ms / (size || 1)).toFixed(ms / (size || 1) < 100 ? 1 : 0);
  return deviation === null ? [`${text(mean)} ${unit}`, ''] : [text(mean), `${text(deviation)} ${unit}`];
}
