import type { Lineage, LineageNode } from '../../api/model';

export const WIDTH = 208;
export const HEIGHT = 52;
const GAP_X = 72;
const GAP_Y = 12;
const ORDER = ['dataset', 'run', 'version', 'endpoint'];

export interface IPlaced extends LineageNode {
  x: number;
  y: number;
  focus: boolean;
}

export interface ILink {
  key: string;
  path: string;
  label: string;
  strong: boolean;
}

export interface IGraph {
  nodes: IPlaced[];
  links: ILink[];
  width: number;
  height: number;
}

/**
 * One column for each kind that is there, from data to endpoint. Within a column a node stands near the middle of what it
 * is joined to on its left, so that few lines cross; columns are centred on the tallest.
 */
export function layOut(lineage: Lineage): IGraph {
  const columns = ORDER.map(kind => lineage.nodes.filter(node => node.kind === kind)).filter(column => column.length > 0);
  const focus = new Set(lineage.focus);
  const height = Math.max(1, ...columns.map(heightOf));
  const placed = new Map<string, IPlaced>();
  columns.forEach((column, i) => {
    const wanted = new Map(column.map((node, j) => [node.id, middle(node.id, lineage, placed) ?? j * (HEIGHT + GAP_Y)]));
    const sorted = [...column].sort((a, b) => (wanted.get(a.id) ?? 0) - (wanted.get(b.id) ?? 0));
    const top = (height - heightOf(column)) / 2;
    sorted.forEach((node, j) => placed.set(node.id, { ...node, x: i * (WIDTH + GAP_X), y: top + j * (HEIGHT + GAP_Y), focus: focus.has(node.id) }));
  });
  const links = lineage.edges.flatMap(edge => {
    const from = placed.get(edge.source);
    const to = placed.get(edge.target);
    return from && to ? [{ key: `${edge.source} ${edge.target}`, path: curve(from, to), label: edge.label, strong: from.focus || to.focus }] : [];
  });
  return { nodes: [...placed.values()], links, width: columns.length * (WIDTH + GAP_X) - GAP_X, height };
}

function heightOf(column: readonly unknown[]): number {
  return column.length * (HEIGHT + GAP_Y) - GAP_Y;
}

function middle(id: string, lineage: Lineage, placed: ReadonlyMap<string, IPlaced>): number | null {
  const ys = lineage.edges.filter(edge => edge.target === id).flatMap(edge => placed.get(edge.source)?.y ?? []);
  return ys.length ? ys.reduce((sum, y) => sum + y, 0) / ys.length : null;
}

function curve(from: IPlaced, to: IPlaced): string {
  const [x1, y1, x2, y2] = [from.x + WIDTH, from.y + HEIGHT / 2, to.x, to.y + HEIGHT / 2];
  const bend = Math.max(24, (x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}
