import { KeyboardEvent, useMemo, useRef, useState } from 'react';

import type { Experiment } from '../../api/model';
import { formatCount, formatExact } from '../../format';
import { useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { Button, IMenuItem, Menu, below } from '../../ui';
import { attempt, deleteExperiment, renameExperiment } from './actions';
import { AskDialog } from './dialogs';
import { INode, linesOf, treeOf } from './tree';

const CLOSED = 'jupyterlab-studio:experiments-closed';

interface IExperimentTreeProps {
  experiments: Experiment[];
  chosen: string;
  mayWrite: boolean;
  /** Whether a new experiment is asked for at once. */
  asksNew: boolean;
  onChoose: (choice: string) => void;
}

type Asked = { kind: 'new'; folder: string } | { kind: 'rename'; experiment: Experiment };

/** Experiments as folders. Arrows move and open, Enter chooses, F2 renames, Delete deletes. */
export function ExperimentTree({ experiments, chosen, mayWrite, asksNew, onChoose }: IExperimentTreeProps): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const root = useRef<HTMLDivElement>(null);
  const [closed, setClosed] = useState<ReadonlySet<string>>(() => new Set(JSON.parse(localStorage.getItem(CLOSED) ?? '[]') as string[]));
  const [asked, setAsked] = useState<Asked | null>(asksNew && mayWrite ? { kind: 'new', folder: '' } : null);
  const [menu, setMenu] = useState<{ node: INode; x: number; y: number } | null>(null);
  const total = experiments.reduce((sum, experiment) => sum + experiment.runs, 0);
  const lines = useMemo(() => {
    const all: INode = { label: trans.__('All'), key: '', depth: 0, runs: total, experiment: null, children: [] };
    return [all, ...linesOf(treeOf(experiments), closed)];
  }, [experiments, closed, total, trans]);
  const index = Math.max(0, lines.findIndex(line => line.key === chosen));

  const toggle = (node: INode, isClosed: boolean): void => {
    const next = new Set(closed);
    if (isClosed) {
      next.add(node.key);
    } else {
      next.delete(node.key);
    }
    setClosed(next);
    localStorage.setItem(CLOSED, JSON.stringify([...next]));
  };
  const choose = (at: number): void => {
    const line = lines[at];
    if (line) {
      onChoose(line.key);
      root.current?.querySelectorAll('[role=treeitem]')[at]?.scrollIntoView({ block: 'nearest' });
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const line = lines[index];
    const isFolder = !!line && line.key.endsWith('/');
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      choose(index + (event.key === 'ArrowDown' ? 1 : -1));
    } else if (event.key === 'ArrowRight' && isFolder && closed.has(line.key)) {
      toggle(line, false);
    } else if (event.key === 'ArrowLeft' && isFolder && !closed.has(line.key)) {
      toggle(line, true);
    } else if (event.key === 'ArrowLeft' && line && line.depth > 0) {
      choose(lines.slice(0, index).map(({ depth }) => depth).lastIndexOf(line.depth - 1));
    } else if (event.key === 'F2' && line?.experiment && mayWrite) {
      setAsked({ kind: 'rename', experiment: line.experiment });
    } else if (event.key === 'Delete' && line?.experiment && mayWrite) {
      void deleteExperiment(studio, line.experiment).then(done => done && onChoose(''));
    } else {
      return;
    }
    event.preventDefault();
  };
  return (
    <div className="jp-Studio-tree">
      <header>
        <h3>{trans.__('Experiments')}</h3>
        {mayWrite && <Button kind="quiet" icon="plus" title={trans.__('New experiment')} testId={TEST.newExperiment} onClick={() => setAsked({ kind: 'new', folder: folderOf(lines[index], experiments) })} />}
      </header>
      <div ref={root} className="jp-Studio-treeLines" role="tree" aria-label={trans.__('Experiments')} tabIndex={0} onKeyDown={onKeyDown}>
        {lines.map(node => (
          <TreeLine
            key={node.key}
            node={node}
            isChosen={node.key === chosen}
            isClosed={closed.has(node.key)}
            onChoose={() => onChoose(node.key)}
            onToggle={() => toggle(node, !closed.has(node.key))}
            onMenu={node.key && mayWrite ? (x, y) => setMenu({ node, x, y }) : undefined}
          />
        ))}
      </div>
      {menu && <Menu name="experiment" label={menu.node.label} x={menu.x} y={menu.y} items={itemsOf(menu.node)} onClose={() => setMenu(null)} />}
      {asked?.kind === 'new' && (
        <AskDialog
          name="experiment"
          title={trans.__('New experiment')}
          label={trans.__('Name')}
          hint={trans.__('Slashes make folders: team/rain/winter')}
          verb={trans.__('Create')}
          value={asked.folder}
          act={name => attempt(async () => onChoose((await studio.client.runs.create(name)).experiment_id))}
          onClose={() => setAsked(null)}
        />
      )}
      {asked?.kind === 'rename' && (
        <AskDialog
          name="experiment"
          title={trans.__('Rename %1', asked.experiment.name)}
          label={trans.__('Name')}
          hint={trans.__('Code that sets the old name would begin a new experiment.')}
          verb={trans.__('Rename')}
          value={asked.experiment.name}
          act={name => renameExperiment(studio, asked.experiment, name)}
          onClose={() => setAsked(null)}
        />
      )}
    </div>
  );

  function itemsOf(node: INode): IMenuItem[] {
    const { experiment } = node;
    if (!experiment) {
      return [{ label: trans.__('New experiment here'), icon: 'plus', act: () => setAsked({ kind: 'new', folder: node.key }) }];
    }
    return [
      { label: trans.__('Rename'), icon: 'edit', detail: 'F2', act: () => setAsked({ kind: 'rename', experiment }) },
      { label: trans.__('Copy the line of code'), icon: 'code', act: () => void navigator.clipboard?.writeText(`mlflow.set_experiment(${JSON.stringify(experiment.name)})`) },
      { label: trans.__('Delete with its runs'), icon: 'trash', detail: 'Del', isDanger: true, begins: true, act: () => void deleteExperiment(studio, experiment).then(done => done && node.key === chosen && onChoose('')) }
    ];
  }
}

/** In which folder a new experiment would be looked for. */
function folderOf(line: INode | undefined, experiments: Experiment[]): string {
  if (line?.key.endsWith('/')) {
    return line.key;
  }
  const name = experiments.find(({ experiment_id }) => experiment_id === line?.key)?.name ?? '';
  return name.slice(0, name.lastIndexOf('/') + 1);
}

interface ITreeLineProps {
  node: INode;
  isChosen: boolean;
  isClosed: boolean;
  onChoose: () => void;
  onToggle: () => void;
  onMenu?: (x: number, y: number) => void;
}

function TreeLine({ node, isChosen, isClosed, onChoose, onToggle, onMenu }: ITreeLineProps): JSX.Element {
  const { trans } = useStudio();
  const { experiment, key, label, runs, depth } = node;
  const isFolder = key.endsWith('/');
  const title = experiment ? `${experiment.name}\n${trans.__('last used %1', formatExact(experiment.last_update_ms))}` : label;
  return (
    <div
      className={`jp-Studio-treeLine${isChosen ? ' jp-mod-active' : ''}`}
      style={{ paddingLeft: 8 + depth * 14 }}
      role="treeitem"
      aria-selected={isChosen}
      aria-expanded={isFolder ? !isClosed : undefined}
      aria-level={depth + 1}
      title={title}
      data-testid={TEST.experiment(key || 'all')}
      onClick={onChoose}
      onDoubleClick={() => isFolder && onToggle()}
      onContextMenu={event => {
        if (onMenu) {
          event.preventDefault();
          event.stopPropagation();
          onMenu(event.clientX, event.clientY);
        }
      }}
    >
      {isFolder ? (
        <button
          type="button"
          tabIndex={-1}
          className={isClosed ? undefined : 'jp-mod-open'}
          aria-label={isClosed ? trans.__('Open %1', label) : trans.__('Close %1', label)}
          onClick={event => {
            event.stopPropagation();
            onToggle();
          }}
        >
          <Icon name="chevron" size={12} />
        </button>
      ) : (
        <span className="jp-Studio-treeIcon">{key !== '' && <Icon name="experiments" size={12} />}</span>
      )}
      <span>{label}</span>
      {onMenu && (
        <button
          type="button"
          tabIndex={-1}
          className="jp-Studio-treeMenu"
          title={trans.__('Rename, delete')}
          onClick={event => {
            event.stopPropagation();
            const { x, y } = below(event.currentTarget);
            onMenu(x, y);
          }}
        >
          <Icon name="more" size={14} />
        </button>
      )}
      <em>{formatCount(runs)}</em>
    </div>
  );
}
