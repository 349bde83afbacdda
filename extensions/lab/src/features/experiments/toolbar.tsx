import { useEffect, useRef, useState } from 'react';

import type { Run, RunKeys, RunSelection, SavedView } from '../../api/model';
import { useStudio } from '../../hooks';
import { StudioError } from '../../request';
import { TEST } from '../../testids';
import { Button, IMenuItem, Link, Menu, TextInput, below } from '../../ui';
import { labelOf } from './cells';
import { ColumnChooser } from './chooser';
import type { Act } from './commands';
import { EXPERIMENT, NOTE_TAG, STATUS, USER, keysOf } from './columns';
import { IKnownKeys } from './filter';
import { FilterBar } from './filterbar';
import { Popover } from './popover';
import { IArrangement, IRunView, canGroup, toLink } from './view';
import { Views } from './views';

interface IToolbarProps {
  view: IRunView;
  onView: (change: Partial<IRunView>) => void;
  columns: string[];
  keys: RunKeys | undefined;
  seen: readonly Run[];
  selection: RunSelection;
  error: StudioError | undefined;
  total: number | null;
  all: number;
  views: SavedView[];
  mayWrite: boolean;
  onApply: (arrangement: IArrangement, name: string) => void;
  act: Act | null;
}

/** Above the table: the filter, and what arranges the table. */
export function Toolbar(props: IToolbarProps): JSX.Element {
  const { view, onView, columns, keys, seen, selection } = props;
  const studio = useStudio();
  const { trans } = studio;
  const [menu, setMenu] = useState<{ x: number; y: number } | null>(null);
  const known = knownOf(keys, seen);
  const exports = (): void => download(studio.client.runs.exportUrl(selection, view.sort, columns));
  const asksExport = useRef(props.act === 'export');
  useEffect(() => {
    // Not before the table has its columns.
    if (asksExport.current && columns.length > 1) {
      asksExport.current = false;
      exports();
    }
  });
  const items: IMenuItem[] = [
    { label: trans.__('Archived runs too'), isChecked: view.archived, act: () => onView({ archived: !view.archived }) },
    { label: trans.__('Deleted runs'), isChecked: view.deleted, act: () => onView({ deleted: !view.deleted }) },
    { label: trans.__('Copy a link to this view'), icon: 'link', begins: true, act: () => void navigator.clipboard?.writeText(linkOf(view)) },
    {
      label: trans.__('Export as CSV'),
      icon: 'download',
      title: trans.__('All runs that match, with the columns shown'),
      act: exports
    }
  ];
  return (
    <div className="jp-Studio-filterBar">
      <FilterBar value={view.filter} onChange={filter => onView({ filter })} keys={known} selection={selection} error={props.error} total={props.total} all={props.all} takesFocus={props.act === 'filter'} />
      <Popover icon="group" label={view.group ? labelOf(view.group, trans) : trans.__('Group')} isOn={view.group !== ''} testId={TEST.runGroup} title={trans.__('Group by a parameter or tag: count, mean ± deviation')}>
        {close => <GroupChooser view={view} known={known} onChoose={group => (close(), onView({ group }))} />}
      </Popover>
      <div className={view.differs ? 'jp-mod-on' : undefined}>
        <Button icon="differs" title={trans.__('Only columns in which the runs differ; among the selected ones, if some are')} testId={TEST.runDiffers} pressed={view.differs} onClick={() => onView({ differs: !view.differs })} />
      </div>
      <ColumnChooser keys={keys ?? keysSeen(seen)} columns={columns} isOwn={view.columns !== null} onChange={chosen => onView({ columns: chosen })} />
      <Views views={props.views} view={view} mayWrite={props.mayWrite} asksName={props.act === 'save'} onApply={props.onApply} />
      <Button icon="more" kind="quiet" title={trans.__('Archived, deleted, link, CSV')} testId={TEST.runMore} onClick={event => setMenu(below(event.currentTarget))} />
      {menu && <Menu name="table" label={trans.__('Table')} {...menu} items={items} onClose={() => setMenu(null)} />}
    </div>
  );
}

function GroupChooser({ view, known, onChoose }: { view: IRunView; known: IKnownKeys; onChoose: (group: string) => void }): JSX.Element {
  const { trans } = useStudio();
  const [typed, setTyped] = useState('');
  const names = [...known.params.map(key => `params.${key}`), STATUS, USER, EXPERIMENT, ...known.tags.filter(key => key !== NOTE_TAG && key !== 'mlflow.runName').map(key => `tags.${key}`)];
  const wanted = typed.toLowerCase();
  const found = names.filter(name => canGroup(name) && labelOf(name, trans).toLowerCase().includes(wanted)).slice(0, 200);
  return (
    <div className="jp-Studio-views">
      <TextInput value={typed} onChange={setTyped} label={trans.__('Find a parameter or tag')} placeholder={trans.__('Parameter or tag')} autoFocus testId={`${TEST.runGroup}-search`} />
      <ul>
        {view.group && (
          <li>
            <button type="button" onClick={() => onChoose('')}>
              {trans.__('No groups')}
            </button>
          </li>
        )}
        {found.map(name => (
          <li key={name}>
            <button type="button" aria-pressed={view.group === name} data-testid={`${TEST.runGroup}-${name}`} onClick={() => onChoose(name)}>
              {labelOf(name, trans)}
              <em>{name.startsWith('params.') ? trans.__('param') : name.startsWith('tags.') ? trans.__('tag') : ''}</em>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

interface ISelectionBarProps {
  count: number;
  isMost: boolean;
  isDeleted: boolean;
  mayWrite: boolean;
  onAct: (act: 'compare' | 'tag' | 'archive' | 'delete' | 'restore') => void;
  onClear: () => void;
}

/** What can be done with the selected runs. */
export function SelectionBar({ count, isMost, isDeleted, mayWrite, onAct, onClear }: ISelectionBarProps): JSX.Element {
  const { trans } = useStudio();
  return (
    <div className="jp-Studio-selectionBar" role="toolbar" aria-label={trans.__('Selected runs')}>
      <b aria-live="polite">{isMost ? trans.__('%1 selected, the most at once', count) : trans._n('%1 selected', '%1 selected', count)}</b>
      <Button icon="dashboard" disabled={count < 2 || count > 50} testId={TEST.compareRuns} title={trans.__('Two to fifty runs side by side')} onClick={() => onAct('compare')}>
        {trans.__('Compare')}
      </Button>
      {mayWrite && isDeleted && (
        <Button icon="undo" testId={TEST.runAct('restore')} onClick={() => onAct('restore')}>
          {trans.__('Restore')}
        </Button>
      )}
      {mayWrite && !isDeleted && (
        <>
          <Button icon="tag" testId={TEST.runAct('tag')} onClick={() => onAct('tag')}>
            {trans.__('Tag')}
          </Button>
          <Button icon="archive" testId={TEST.runAct('archive')} onClick={() => onAct('archive')}>
            {trans.__('Archive')}
          </Button>
          <Button icon="trash" testId={TEST.runAct('delete')} onClick={() => onAct('delete')}>
            {trans.__('Delete')}
          </Button>
        </>
      )}
      <Link onClick={onClear}>{trans.__('Clear')}</Link>
    </div>
  );
}

/** Keys of the runs that were read, until the server has said which there are in all. */
function keysSeen(seen: readonly Run[]): RunKeys {
  const named = (names: string[]): RunKeys['metrics'] => names.map(name => ({ name, share: 0 }));
  return { metrics: named(keysOf(seen, 'metrics')), params: named(keysOf(seen, 'params')), tags: named([...new Set(seen.flatMap(run => Object.keys(run.tags)))]) };
}

function knownOf(keys: RunKeys | undefined, seen: readonly Run[]): IKnownKeys {
  const found = keys ?? keysSeen(seen);
  const own = found.tags.filter(({ name }) => !name.startsWith('mlflow.') || name === NOTE_TAG || name === 'mlflow.runName');
  return { metrics: found.metrics.map(({ name }) => name), params: found.params.map(({ name }) => name), tags: own.map(({ name }) => name) };
}

/** The address that opens this view in the lab. */
export function linkOf(view: IRunView): string {
  const address = new URL(window.location.href);
  address.hash = '';
  address.search = new URLSearchParams({ studio: 'experiments', item: toLink(view) }).toString();
  return address.toString();
}

function download(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  link.click();
}

