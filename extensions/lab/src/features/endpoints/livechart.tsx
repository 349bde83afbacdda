import { useWidth } from '../../hooks';
import { hue } from '../../ui';
import { Point, nearest, pathOf, scaleTo } from '../../ui/scale';

export interface ICurve {
  name: string;
  points: Point[];
  color?: string;
}

export interface IMarker {
  at: number;
  text: string;
}

interface ILiveChartProps {
  label: string;
  /** What is read at the pointer, or now. */
  value: string;
  curves: ICurve[];
  /** Milliseconds at the left and right edge, the same for all charts in a row. */
  from: number;
  to: number;
  markers: IMarker[];
  /** Where the pointer is, in whichever chart of the row. */
  at: number | null;
  onPoint: (at: number | null) => void;
  /** Holds its value until the next: replicas, prices. */
  stepped?: boolean;
  testId: string;
}

const HEIGHT = 44;

/** One of several small charts on one time axis: its figure above, deploys as marks, a shared reading at the pointer. */
export function LiveChart({ label, value, curves, from, to, markers, at, onPoint, stepped, testId }: ILiveChartProps): JSX.Element {
  const [box, width] = useWidth<HTMLDivElement>(160);
  const top = Math.max(1e-9, ...curves.flatMap(curve => curve.points.map(p => p[1]).filter(Number.isFinite)));
  const x = scaleTo({ min: from, max: to }, 2, width - 3);
  const y = scaleTo({ min: 0, max: top * 1.1 }, HEIGHT - 1, 2);
  return (
    <figure className="jp-Studio-live" data-testid={testId}>
      <figcaption>
        {curves.length > 1 &&
          [...curves].reverse().map((curve, i) => (
            <span key={curve.name}>
              <i className="jp-Studio-swatch" style={{ background: curve.color ?? hue(i) }} />
              {curve.name}
            </span>
          ))}
        {label}
      </figcaption>
      <b>{value}</b>
      <div ref={box}>
        <svg
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={`${[...curves].reverse().map(curve => curve.name).join(', ')} ${label}: ${value}`}
          onPointerMove={event => onPoint(from + ((event.clientX - event.currentTarget.getBoundingClientRect().left) / Math.max(1, width)) * (to - from))}
          onPointerLeave={() => onPoint(null)}
        >
          <line className="jp-Studio-axisLine" x1={0} x2={width} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
          {markers.map(marker => (
            <g key={marker.at}>
              <line className="jp-Studio-liveMark" x1={x(marker.at)} x2={x(marker.at)} y1={2} y2={HEIGHT - 1} />
              <title>{marker.text}</title>
            </g>
          ))}
          {curves.map((curve, i) => (
            <Curve key={curve.name} points={stepped ? steps(curve.points) : curve.points} color={curve.color ?? hue(i)} x={x} y={y} filled={i === 0} />
          ))}
          {at !== null && <line className="jp-Studio-cross" x1={x(at)} x2={x(at)} y1={2} y2={HEIGHT - 1} />}
          {at !== null &&
            curves.map((curve, i) => {
              const point = nearest(curve.points, at);
              return point && Number.isFinite(point[1]) && <circle key={curve.name} className="jp-Studio-dot" cx={x(point[0])} cy={y(point[1])} r={3} fill={curve.color ?? hue(i)} />;
            })}
        </svg>
      </div>
    </figure>
  );
}

function Curve({ points, color, x, y, filled }: { points: Point[]; color: string; x: (at: number) => number; y: (value: number) => number; filled: boolean }): JSX.Element {
  const known = points.filter(p => Number.isFinite(p[1]));
  const path = pathOf(known, x, y);
  const [first, last] = [known[0], known[known.length - 1]];
  return (
    <>
      {filled && first && last && known.length > 1 && <path d={`${path}L${x(last[0]).toFixed(1)} ${HEIGHT - 1}L${x(first[0]).toFixed(1)} ${HEIGHT - 1}Z`} fill={color} opacity={0.12} />}
      <path className="jp-Studio-line" d={path} stroke={color} />
      {last && <circle cx={x(last[0])} cy={y(last[1])} r={1.8} fill={color} />}
    </>
  );
}

function steps(points: Point[]): Point[] {
  return points.flatMap((point, i): Point[] => {
    const before = points[i - 1];
    return before && before[1] !== point[1] ? [[point[0], before[1]], point] : [point];
  });
}
