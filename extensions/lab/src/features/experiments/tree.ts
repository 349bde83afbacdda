/** Experiments as folders: `team/rain/winter` lies in `team/rain`, which lies in `team`. */

import type { Experiment } from '../../api/model';

export interface INode {
  /** The last part of the name. */
  label: string;
  /** A folder's path, ending in a slash; an experiment's id. */
  key: string;
  depth: number;
  /** Runs in it and below. */
  runs: number;
  experiment: Experiment | null;
  children: INode[];
}

/** The tree of experiments: folders first, then by name; a folder with one thing in it stays a folder. */
export function treeOf(experiments: readonly Experiment[]): INode[] {
  const root: INode = { label: '', key: '', depth: -1, runs: 0, experiment: null, children: [] };
  const folders = new Map<string, INode>();
  for (const experiment of experiments) {
    const parts = partsOf(experiment.name);
    const label = parts.pop() ?? experiment.name;
    let at = root;
    for (const part of parts) {
      const key = `${at.key}${part}/`;
      let next = folders.get(key);
      if (!next) {
        next = { label: part, key, depth: at.depth + 1, runs: 0, experiment: null, children: [] };
        folders.set(key, next);
        at.children.push(next);
      }
      next.runs += experiment.runs;
      at = next;
    }
    at.children.push({ label, key: experiment.experiment_id, depth: at.depth + 1, runs: experiment.runs, experiment, children: [] });
  }
  sort(root);
  return root.children;
}

export function partsOf(name: string): string[] {
  return name
    .split('/')
    .map(part => part.trim())
    .filter(Boolean);
}

function sort(node: INode): void {
  node.children.sort((a, b) => Number(a.experiment !== null) - Number(b.experiment !== null) || a.label.localeCompare(b.label, undefined, { numeric: true }));
  node.children.forEach(sort);
}

/** The lines in sight: those below a closed folder are not. */
export function linesOf(nodes: readonly INode[], closed: ReadonlySet<string>): INode[] {
  return nodes.flatMap(node => [node, ...(node.experiment || closed.has(node.key) ? [] : linesOf(node.children, closed))]);
}

/** The experiments that a choice means; null: all. */
export function chosenOf(experiments: readonly Experiment[], choice: string): string[] | null {
  if (!choice) {
    return null;
  }
  if (!choice.endsWith('/')) {
    return [choice];
  }
  return experiments.filter(({ name }) => partsOf(name).join('/').startsWith(choice)).map(({ experiment_id }) => experiment_id);
}
