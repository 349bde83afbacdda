import { useId, useState } from 'react';

import { formatNumber } from '../format';
import { useStudio, useWidth } from '../hooks';
import { Point, nearest, pathOf, rangeOf, scaleTo, ticksOf } from './scale';

export interface ISeries {
  name: string;
  points: Point[];
  /** Index of the hue; the same thing keeps its hue in every chart of a view. */
  hue?: number;
  /** A colour with a meaning (`var(--jp-…)`) in place of a hue. */
  color?: string;
  dashed?: boolean;
}

export const HUES = 12;

export function hue(index: number): string {
  return `var(--jp-Studio-hue${index % HUES})`;
}

function colorOf(series: ISeries, index: number): string {
  return series.color ?? hue(series.hue ?? index);
}

interface ILineChartProps {
  series: ISeries[];
  height?: number;
  label: string;
  xFormat?: (x: number) => string;
  yFormat?: (y: number) => string;
  /** Whole steps on the x axis. */
  whole?: boolean;
  zero?: boolean;
  yMax?: number;
  markers?: { x: number; text: string }[];
  level?: { y: number; text: string };
  legend?: boolean;
  /** The points are on their way: nothing is said about there being none. */
  pending?: boolean;
}

const MARGIN = { left: 44, right: 12, top: 8, bottom: 20 };

/** Curves over one x axis with a shared reading at the pointer. */
export function LineChart(props: ILineChartProps): JSX.Element {
  const { series, height = 180, label, xFormat = formatNumber, yFormat = formatNumber, whole, zero, markers = [], level, legend = true } = props;
  const { trans } = useStudio();
  const [box, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);

  const points = series.flatMap(s => s.points);
  const xs = rangeOf(points.map(p => p[0]));
  const ys = rangeOf([...points.map(p => p[1]), ...(zero ? [0] : []), ...(level ? [level.y * 1.1] : []), ...(props.yMax !== undefined ? [props.yMax] : [])]);
  const pad = zero ? 0 : (ys.max - ys.min) * 0.06;
  const yRange = { min: ys.min - pad, max: ys.max + (zero ? (ys.max - ys.min) * 0.08 : pad) };
  const x = scaleTo(xs, MARGIN.left, width - MARGIN.right);
  const y = scaleTo(yRange, height - MARGIN.bottom, MARGIN.top);
  const single = series.every(s => s.points.length < 2);

  const readings = at === null ? [] : series.map((s, i) => ({ s, i, p: nearest(s.points, at) })).filter(r => r.p && Number.isFinite(r.p[1]));
  const atX = readings[0]?.p?.[0];
  return (
    <div className="jp-Studio-chart" ref={box}>
      {legend && series.length > 1 && <Legend series={series} />}
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={label}
        onPointerMove={event => {
          const px = event.clientX - event.currentTarget.getBoundingClientRect().left;
          setAt(xs.min + ((px - MARGIN.left) / Math.max(1, width - MARGIN.left - MARGIN.right)) * (xs.max - xs.min));
        }}
        onPointerLeave={() => setAt(null)}
      >
        {ticksOf(yRange, height < 120 ? 2 : 4).map(tick => (
          <g key={tick}>
            <line className="jp-Studio-grid" x1={MARGIN.left} x2={width - MARGIN.right} y1={y(tick)} y2={y(tick)} />
            <text className="jp-Studio-axis" x={MARGIN.left - 8} y={y(tick) + 3.5} textAnchor="end">
              {yFormat(tick)}
            </text>
          </g>
        ))}
        {points.length > 0 &&
          ticksOf(xs, Math.max(2, Math.floor(width / 110)), whole).map(tick => (
            <text key={tick} className="jp-Studio-axis" x={x(tick)} y={height - 4} textAnchor="middle">
              {xFormat(tick)}
            </text>
          ))}
        {markers.map(marker => (
          <g key={`${marker.x}${marker.text}`}>
            <line className="jp-Studio-marker" x1={x(marker.x)} x2={x(marker.x)} y1={MARGIN.top} y2={height - MARGIN.bottom} />
            <title>{marker.text}</title>
          </g>
        ))}
        {level && (
          <g>
            <line className="jp-Studio-level" x1={MARGIN.left} x2={width - MARGIN.right} y1={y(level.y)} y2={y(level.y)} />
            <text className="jp-Studio-axis" x={width - MARGIN.right} y={y(level.y) - 4} textAnchor="end">
              {level.text}
            </text>
          </g>
        )}
        {series.map((s, i) => (
          <path key={s.name} className="jp-Studio-line" d={pathOf(s.points, x, y)} stroke={colorOf(s, i)} strokeDasharray={s.dashed ? '4 3' : undefined} />
        ))}
        {(single || points.length < 40) &&
          series.map((s, i) => s.points.map(([px, py]) => Number.isFinite(py) && <circle key={`${s.name}${px}`} cx={x(px)} cy={y(py)} r={2.2} fill={colorOf(s, i)} />))}
        {atX !== undefined && <line className="jp-Studio-cross" x1={x(atX)} x2={x(atX)} y1={MARGIN.top} y2={height - MARGIN.bottom} />}
        {readings.map(({ s, i, p }) => p && <circle key={s.name} className="jp-Studio-dot" cx={x(p[0])} cy={y(p[1])} r={3.5} fill={colorOf(s, i)} />)}
      </svg>
      {points.length === 0 && !props.pending && <div className="jp-Studio-chartEmpty">{trans.__('No points yet')}</div>}
      {atX !== undefined && (
        <div className="jp-Studio-tooltip" style={x(atX) > width / 2 ? { right: width - x(atX) + 12 } : { left: x(atX) + 12 }}>
          <div className="jp-Studio-label">{xFormat(atX)}</div>
          {readings.slice(0, 10).map(({ s, i, p }) => (
            <div key={s.name} className="jp-Studio-reading">
              <i style={{ background: colorOf(s, i) }} />
              <span>{s.name}</span>
              <b>{p && yFormat(p[1])}</b>
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

export function Legend({ series }: { series: ISeries[] }): JSX.Element {
  return (
    <div className="jp-Studio-legend">
      {series.slice(0, 12).map((s, i) => (
        <span key={s.name} title={s.name}>
          <i className={s.dashed ? 'jp-mod-dashed' : undefined} style={{ background: colorOf(s, i) }} />
          {s.name}
        </span>
      ))}
      {series.length > 12 && <span>+{series.length - 12}</span>}
    </div>
  );
}

interface ISparklineProps {
  values: number[];
  width?: number;
  height?: number;
  color?: string;
  fill?: boolean;
  zero?: boolean;
  /** Room for this many values; the newest stands at the right, so that charts side by side share their time axis. */
  slots?: number;
}

/** A curve without axes, for a cell or beside a figure. */
export function Sparkline({ values, width = 72, height = 20, color = hue(0), fill, zero, slots }: ISparklineProps): JSX.Element {
  const points = values.map((value, i): Point => [i, value]);
  const range = zero ? { min: 0, max: Math.max(1e-9, ...values) } : rangeOf(values);
  const end = Math.max(1, values.length - 1);
  const x = scaleTo({ min: slots ? end + 1 - slots : 0, max: end }, 2, width - 2);
  const y = scaleTo(range, height - 2, 2);
  const path = pathOf(points, x, y);
  const last = values[values.length - 1];
  return (
    <svg className="jp-Studio-sparkline" width={width} height={height} aria-hidden="true">
      {fill && values.length > 1 && <path d={`${path}L${x(values.length - 1)} ${height}L${x(0)} ${height}Z`} fill={color} opacity={0.14} />}
      <path className="jp-Studio-line" d={path} stroke={color} />
      {last !== undefined && <circle cx={x(values.length - 1)} cy={y(last)} r={1.8} fill={color} />}
    </svg>
  );
}

interface IBarsProps {
  /** Shares or counts per bin, one array for each series, drawn over each other. */
  groups: { name: string; values: number[]; color: string; outline?: boolean }[];
  labels: string[];
  height?: number;
  width?: number;
  axis?: boolean;
  label: string;
  format?: (value: number) => string;
}

/** Bars per bin; a group drawn as an outline lies over one drawn filled, so that two distributions compare. */
export function Bars({ groups, labels, height = 120, width: fixed, axis = true, label, format = formatNumber }: IBarsProps): JSX.Element {
  const [box, measured] = useWidth<HTMLDivElement>(fixed);
  const clip = useId();
  const width = fixed ?? measured;
  const bins = Math.max(1, ...groups.map(g => g.values.length));
  const top = Math.max(1e-9, ...groups.flatMap(g => g.values));
  const foot = axis ? 18 : 0;
  const step = (width - (axis ? 8 : 0)) / bins;
  const y = scaleTo({ min: 0, max: top }, height - foot, 4);
  const every = Math.max(1, Math.ceil((bins * 52) / width));
  return (
    <div className="jp-Studio-bars" ref={box} style={fixed ? { width: fixed } : undefined}>
      <svg width={width} height={height} role="img" aria-label={label} aria-describedby={clip}>
        {groups.map(group =>
          group.values.map((value, i) => (
            <rect
              key={`${group.name}${i}`}
              className={group.outline ? 'jp-Studio-barOutline' : 'jp-Studio-bar'}
              x={i * step + (axis ? 4 : 0) + (group.outline ? 1.5 : 1)}
              y={y(value)}
              width={Math.max(1, step - (group.outline ? 3 : 2))}
              height={Math.max(value > 0 ? 1 : 0, height - foot - y(value))}
              style={group.outline ? { stroke: group.color } : { fill: group.color }}
            />
          ))
        )}
        {Array.from({ length: bins }, (_, i) => (
          <rect key={`h${i}`} x={i * step} y={0} width={step} height={height} fill="transparent">
            <title>{[labels[i] ?? '', ...groups.map(g => `${g.name} ${format(g.values[i] ?? 0)}`)].join('\n')}</title>
          </rect>
        ))}
        {axis && <line className="jp-Studio-axisLine" x1={0} x2={width} y1={height - foot} y2={height - foot} />}
        {axis &&
          labels.map(
            (text, i) =>
              i % every === 0 && (
                <text key={`${text}${i}`} className="jp-Studio-axis" x={i * step + 4 + step / 2} y={height - 4} textAnchor="middle">
                  {text.length > 9 ? `${text.slice(0, 8)}…` : text}
                </text>
              )
          )}
      </svg>
    </div>
  );
}
