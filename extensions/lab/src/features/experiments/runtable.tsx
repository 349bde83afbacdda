import { useCallback, useEffect, useMemo, useRef, useState } from 'react';

import type { Experiment, Run, RunSelection, SavedView } from '../../api/model';
import { useNow, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { EmptyState, ErrorBox, Grid, IGridColumn, IMenuItem, Menu, Resizable, Skeleton } from '../../ui';
import { archiveRuns, attempt, deleteRuns, restoreRuns } from './actions';
import { ICellContext, cellOf, gridColumns } from './cells';
import { RunCharts } from './charts';
import { ARCHIVED_TAG, RUN, columnOf, defaultColumns, keysOf } from './columns';
import { RenameRun, RunNote, TagRuns } from './dialogs';
import type { Act } from './commands';
import { columnItems } from './headmenu';
import { Line, isGroup } from './model';
import { SelectionBar, Toolbar } from './toolbar';
import { chosenOf } from './tree';
import { CHARTED, useDiffering, useKeys, usePicked, useTable } from './usetable';
import { IArrangement, IRunView, clampWidth, moved, sortedBy } from './view';

const MOST_SELECTED = 1000;

interface IRunTableProps {
  view: IRunView;
  onView: (change: Partial<IRunView>) => void;
  onApply: (arrangement: IArrangement, name: string) => void;
  experiments: Experiment[] | undefined;
  views: SavedView[];
  mayWrite: boolean;
  /** What a command asks for besides the table. */
  act: Act | null;
}

type Asked = { kind: 'rename' | 'note'; run: Run } | { kind: 'tag'; runs: Run[] };
interface IPlace {
  x: number;
  y: number;
}

/** The table of runs with what is above and below it. */
export function RunTable({ view, onView, onApply, experiments, views, mayWrite, act: asksFor }: IRunTableProps): JSX.Element {
  const studio = useStudio();
  const { trans, client } = studio;
  const { model, version } = useTable();
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  const [focus, setFocus] = useState<{ number?: number; index: number }>({ index: -1 });
  const [asked, setAsked] = useState<Asked | null>(null);
  const [menu, setMenu] = useState<({ line: Run } & IPlace) | null>(null);
  const [headMenu, setHeadMenu] = useState<({ column: string } & IPlace) | null>(null);
  const anchor = useRef(-1);

  const ids = useMemo(() => (view.experiment.endsWith('/') ? chosenOf(experiments ?? [], view.experiment) : view.experiment ? [view.experiment] : null), [view.experiment, experiments]);
  const idsKey = JSON.stringify(ids);
  const selection = useMemo<RunSelection>(
    () => ({ experiment_ids: JSON.parse(idsKey) as string[] | null, filter: view.filter, view: view.deleted ? 'DELETED_ONLY' : 'ACTIVE_ONLY', archived: view.archived || view.deleted }),
    [idsKey, view.filter, view.deleted, view.archived]
  );
  const isWaiting = view.experiment.endsWith('/') && !experiments;

  // Chosen once from the first rows of a table that nobody arranged, so that columns do not come and go with new runs.
  const [automatic, setAutomatic] = useState<{ of: string; columns: string[] } | null>(null);
  const automaticOf = JSON.stringify([view.experiment, view.deleted]);
  const isSeveral = ids === null || ids.length > 1;
  if (view.columns === null && model.isOpen && model.length > 0 && automatic?.of !== automaticOf) {
    const columns = defaultColumns(model.rows.seen, isSeveral && (experiments?.length ?? 2) > 1);
    if (columns.length > 5 || model.total > 0) {
      setAutomatic({ of: automaticOf, columns });
    }
  }
  const arranged = view.columns ?? automatic?.columns ?? null;
  const all = useMemo(() => (arranged ? [RUN, ...arranged.filter(name => name !== RUN)] : [RUN]), [arranged]);

  useEffect(() => {
    if (!isWaiting) {
      model.query = { selection, order: view.sort, columns: view.columns ?? (automatic?.of === automaticOf ? automatic.columns : null), group: view.group };
    }
  }, [model, selection, view.sort, view.columns, view.group, automatic, automaticOf, isWaiting]);

  const keys = useKeys(selection, model.isOpen);
  const picked = usePicked(model, selected, version);
  const isChosen = selected.size > 0;
  const differs = useDiffering(view.differs, selection, all, picked, isChosen, version);
  const shown = useMemo(() => {
    const kept = differs ? all.filter(name => name === RUN || differs.has(name)) : all;
    const isPinned = (name: string): boolean => name === RUN || view.pinned.includes(name);
    return { names: [...kept.filter(isPinned), ...kept.filter(name => !isPinned(name))], pinned: kept.filter(isPinned).length };
  }, [all, differs, view.pinned]);
  const { seen } = model.rows;
  const columns = useMemo(() => gridColumns(shown.names, view, seen, model.isGrouped, trans), [shown, view, seen, model.isGrouped, trans]);

  const names = useMemo(() => new Map((experiments ?? []).map(({ experiment_id, name }) => [experiment_id, name])), [experiments]);
  const now = useNow(10_000);
  const hues = useMemo(() => new Map(picked.map((run, at) => [run.number, at])), [picked]);
  const context = useMemo<ICellContext>(() => ({ trans, now, hues, experiments: names, group: view.group }), [trans, now, hues, names, view.group]);
  const cell = useCallback((line: Line, column: IGridColumn) => cellOf(line, column, context), [context]);

  const focused = focus.number === undefined ? focus.index : (at => (at >= 0 ? at : focus.index))(model.indexOf(focus.number));
  const onFocus = (index: number): void => setFocus({ index, number: model.numberAt(index) });
  const onSelect = (index: number, extend: boolean): void => {
    const line = model.lineAt(index);
    const number = model.numberAt(index);
    const next = new Set(selected);
    if (extend && anchor.current >= 0) {
      model.numbersBetween(anchor.current, index, MOST_SELECTED).forEach(item => next.add(item));
    } else if (extend) {
      model.numbersBetween(Math.max(0, focused), index, MOST_SELECTED).forEach(item => next.add(item));
      anchor.current = Math.max(0, focused);
    } else if (line && isGroup(line)) {
      const inside = line.isOpen ? model.numbersBetween(index + 1, index + line.runs, MOST_SELECTED) : [];
      const every = inside.length > 0 && inside.every(item => next.has(item));
      inside.forEach(item => (every ? next.delete(item) : next.add(item)));
      if (!line.isOpen) {
        model.toggle(line);
      }
    } else if (number !== undefined && !next.delete(number)) {
      next.add(number);
      anchor.current = index;
    }
    setSelected(new Set([...next].slice(0, MOST_SELECTED)));
  };
  const onOpen = (index: number): void => {
    const line = model.lineAt(index);
    if (line && isGroup(line)) {
      model.toggle(line);
    } else if (line) {
      studio.open('run', line.run_id);
    }
  };
  const onArrow = (index: number, step: -1 | 1): boolean => {
    const line = model.lineAt(index);
    if (line && isGroup(line) && line.isOpen !== (step > 0)) {
      model.toggle(line);
      return true;
    }
    return false;
  };
  const allSelected = selected.size > 0 && selected.size >= Math.min(model.total, MOST_SELECTED);
  const onSelectAll = (): void => setSelected(allSelected ? new Set() : new Set(model.numbersBetween(0, model.length - 1, MOST_SELECTED)));
  const clear = useCallback(() => setSelected(new Set()), []);
  const onRange = useCallback((first: number, last: number) => model.want(first, last), [model]);
  const keyOf = (line: Line | undefined, index: number): string => (line && isGroup(line) ? line.key : String(model.numberAt(index) ?? `at-${index}`));

  /** What is selected, with the tags that acts need to be undone. */
  const chosenRuns = (): Promise<Run[]> => client.runs.rows({ numbers: [...selected], columns: null });
  const act = (what: 'compare' | 'tag' | 'archive' | 'delete' | 'restore'): void => {
    void attempt(async () => {
      const runs = await chosenRuns();
      if (what === 'compare') {
        studio.open('dashboard', `compare?runs=${runs.map(run => run.run_id).join(',')}`);
      } else if (what === 'tag') {
        setAsked({ kind: 'tag', runs });
      } else {
        const acts = { archive: () => archiveRuns(studio, runs, !runs.every(run => ARCHIVED_TAG in run.tags)), delete: () => deleteRuns(studio, runs), restore: () => restoreRuns(studio, runs) };
        if (await acts[what]()) {
          clear();
        }
      }
    });
  };
  const rowItems = (run: Run): IMenuItem[] => {
    const isArchived = ARCHIVED_TAG in run.tags;
    const withTags = (then: (whole: Run) => void) => (): void => void attempt(async () => (await client.runs.rows({ run_ids: [run.run_id], columns: null })).forEach(then));
    const open: IMenuItem[] = [
      { label: trans.__('Open'), icon: 'run', detail: 'Enter', act: () => studio.open('run', run.run_id) },
      { label: trans.__('Copy the id'), icon: 'copy', act: () => void navigator.clipboard?.writeText(run.run_id) },
      { label: trans.__('Copy the line of code'), icon: 'code', act: () => void navigator.clipboard?.writeText(`mlflow.get_run("${run.run_id}")`) }
    ];
    if (!mayWrite) {
      return open;
    }
    if (run.stage === 'deleted') {
      return [...open, { label: trans.__('Restore'), icon: 'undo', begins: true, act: () => void restoreRuns(studio, [run]) }];
    }
    return [
      ...open,
      { label: trans.__('Rename'), icon: 'edit', detail: 'F2', begins: true, act: () => setAsked({ kind: 'rename', run }) },
      { label: trans.__('Note'), icon: 'note', act: withTags(whole => setAsked({ kind: 'note', run: whole })) },
      { label: trans.__('Tag'), icon: 'tag', act: withTags(whole => setAsked({ kind: 'tag', runs: [whole] })) },
      { label: isArchived ? trans.__('Take out of the archive') : trans.__('Archive'), icon: 'archive', begins: true, act: () => void archiveRuns(studio, [run], !isArchived) },
      { label: trans.__('Delete'), icon: 'trash', detail: 'Del', isDanger: true, act: () => void deleteRuns(studio, [run]) }
    ];
  };
  const onMenu = (index: number, x: number, y: number): void => {
    const line = model.lineAt(index);
    if (line && !isGroup(line)) {
      setMenu({ line, x, y });
    }
  };
  const onKeys = (event: React.KeyboardEvent): void => {
    const line = model.lineAt(focused);
    const isInTable = (event.target as HTMLElement).getAttribute('role') === 'grid';
    if (!isInTable) {
      return;
    }
    if (event.key === 'Escape' && selected.size) {
      clear();
    } else if (event.key === 'F2' && line && !isGroup(line) && mayWrite && !view.deleted) {
      setAsked({ kind: 'rename', run: line });
    } else if (event.key === 'Delete' && mayWrite && !view.deleted && (selected.size || (line && !isGroup(line)))) {
      if (selected.size) {
        act('delete');
      } else if (line && !isGroup(line)) {
        void deleteRuns(studio, [line]);
      }
    } else {
      return;
    }
    event.preventDefault();
  };

  const chartKeys = useMemo(() => ({ metrics: keysOf(picked, 'metrics'), params: keysOf(picked, 'params') }), [picked]);
  const charts = picked.length > 0 && (
    <RunCharts runs={picked} {...chartKeys} isChosen={isChosen} onClear={isChosen ? clear : undefined} state={view.charts} onState={state => onView({ charts: state })} />
  );
  const isFilterError = model.error?.status === 400;
  const isEmpty = model.isOpen && model.length === 0 && !model.error;
  return (
    <div className="jp-Studio-runs" onKeyDown={onKeys}>
      <Toolbar
        view={view}
        onView={onView}
        columns={all}
        keys={keys}
        seen={seen}
        selection={selection}
        error={isFilterError ? model.error : undefined}
        total={model.isOpen ? model.total : null}
        all={model.all}
        views={views}
        mayWrite={mayWrite}
        onApply={onApply}
        act={asksFor}
      />
      {selected.size > 0 && <SelectionBar count={selected.size} isMost={selected.size >= MOST_SELECTED} isDeleted={view.deleted} mayWrite={mayWrite} onAct={act} onClear={clear} />}
      {model.error && !isFilterError && <ErrorBox error={model.error} onRetry={() => model.refresh()} />}
      <Resizable name="run-charts" label={trans.__('Height of the charts')} size={320} least={160} side="bottom" part={charts}>
        {!model.isOpen && !model.error && <Skeleton rows={12} />}
        {isEmpty && <NoRuns view={view} all={model.all} onView={onView} />}
        {model.isOpen && !isEmpty && (
          <Grid
            name="runs"
            label={trans.__('Runs')}
            columns={columns}
            pinned={shown.pinned}
            length={model.length}
            lineAt={index => model.lineAt(index)}
            keyOf={keyOf}
            testKey={line => (isGroup(line) ? `group-${line.value ?? ''}` : line.run_id)}
            cell={cell}
            lineClass={line => (isGroup(line) ? 'jp-mod-group' : model.isGrouped ? 'jp-mod-nested' : '')}
            isSelected={index => selected.has(model.numberAt(index) ?? -1)}
            version={version}
            focused={focused}
            onFocus={onFocus}
            onOpen={onOpen}
            onSelect={onSelect}
            onSelectAll={onSelectAll}
            allSelected={allSelected}
            onRange={onRange}
            onMenu={onMenu}
            onArrow={onArrow}
            onHead={(column, adds) => onView({ sort: sortedBy(view.sort, column, adds, columnOf(column)?.kind === 'metrics' || column === 'attributes.start_time') })}
            onHeadMenu={(column, x, y) => setHeadMenu({ column, x, y })}
            onResize={(column, width) => onView({ widths: { ...view.widths, [column]: clampWidth(width) } })}
            onMove={(column, before) => onView({ columns: moved(all, column, before === RUN ? (all[1] ?? null) : before) })}
          />
        )}
      </Resizable>
      {selected.size > CHARTED && <p className="jp-Studio-hint jp-Studio-runsFoot">{trans.__('The charts show the first %1 of the selected runs.', CHARTED)}</p>}
      {menu && <Menu name="run" label={menu.line.name} x={menu.x} y={menu.y} items={rowItems(menu.line)} onClose={() => setMenu(null)} />}
      {headMenu && <Menu name="column" label={headMenu.column} x={headMenu.x} y={headMenu.y} items={columnItems(headMenu.column, all, view, onView, trans)} onClose={() => setHeadMenu(null)} />}
      {asked?.kind === 'rename' && <RenameRun run={asked.run} onClose={() => setAsked(null)} />}
      {asked?.kind === 'note' && <RunNote run={asked.run} onClose={() => setAsked(null)} />}
      {asked?.kind === 'tag' && <TagRuns runs={asked.runs} onClose={() => setAsked(null)} />}
    </div>
  );
}

/** No line to show: why, and the way on. */
function NoRuns({ view, all, onView }: { view: IRunView; all: number; onView: (change: Partial<IRunView>) => void }): JSX.Element {
  const { trans } = useStudio();
  if (view.deleted) {
    return <EmptyState icon="trash" testId={TEST.empty('runs')} title={trans.__('No deleted runs')} text={trans.__('Deleted runs are kept here until they are purged, and can be restored.')} />;
  }
  if (view.filter) {
    return (
      <EmptyState
        icon="search"
        testId={TEST.empty('runs')}
        title={trans.__('No run matches')}
        text={trans._n('%1 run is here without the filter.', '%1 runs are here without the filter.', all)}
        action={
          <button type="button" className="jp-Studio-button" onClick={() => onView({ filter: '' })}>
            {trans.__('Clear the filter')}
          </button>
        }
      />
    );
  }
  return <EmptyState icon="run" testId={TEST.empty('runs')} title={trans.__('No runs here yet')} text={trans.__('What is logged to this experiment appears here while it trains.')} code={'import mlflow\n\nwith mlflow.start_run():\n    mlflow.log_metric("auc", 0.77)'} />;
}
