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
