import { formatNumber } from '../../../format';
import { ITheme, between, hue } from '../../../ui';
import { betterOf } from './direction';
import { IDimension, shareOf, splitKey } from './values';

/** A colour for each run: from muted to the accent for numbers (the accent is the better end of a metric), a hue for each category. */
export function colorsOf(dimension: IDimension, theme: ITheme): string[] {
  const { values, categories } = dimension;
  return values.map(value => {
    const share = shareOf(dimension, value);
    if (share === null) {
      return theme.muted;
    }
    return categories ? (theme.hues[categories.indexOf(String(value)) % theme.hues.length] ?? theme.text) : gradient(theme, isReversed(dimension) ? 1 - share : share);
  });
}

function gradient(theme: ITheme, share: number): string {
  const low = theme.hues[1] ?? theme.text;
  const high = theme.hues[0] ?? theme.text;
  const middle = between(between(low, high, 0.5), theme.paper, 0.35);
  return share < 0.5 ? between(low, middle, share * 2) : between(middle, high, share * 2 - 1);
}

function isReversed({ key }: IDimension): boolean {
  const [kind, name] = splitKey(key);
  return kind === 'metrics' && betterOf(name) === 'less';
}

/** What the colours mean. */
export function ColorLegend({ dimension, theme }: { dimension: IDimension; theme: ITheme }): JSX.Element {
  const { categories, label, least, most } = dimension;
  if (categories) {
    return (
      <div className="jp-Studio-legend">
        {categories.slice(0, 12).map((category, i) => (
          <span key={category} title={category}>
            <i style={{ background: hue(i) }} />
            {category}
          </span>
        ))}
      </div>
    );
  }
  const stops = [0, 0.25, 0.5, 0.75, 1].map(share => gradient(theme, isReversed(dimension) ? 1 - share : share));
  return (
    <div className="jp-Studio-colorBar" title={label}>
      <span>{formatNumber(least)}</span>
      <i style={{ background: `linear-gradient(90deg, ${stops.join(', ')})` }} />
      <span>{formatNumber(most)}</span>
    </div>
  );
}
