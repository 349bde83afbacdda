import { useMemo, useState } from 'react';

import type { RunKeys } from '../../api/model';
import { useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Link, TextInput } from '../../ui';
import { labelOf } from './cells';
import { ATTRIBUTES, Bound, NOTE, RUN, columnOf, nameOf } from './columns';
import { Popover } from './popover';

const MOST = 200;
const BOUNDS: Bound[] = ['last', 'min', 'max'];

interface IColumnChooserProps {
  keys: RunKeys | undefined;
  columns: string[];
  isOwn: boolean;
  onChange: (columns: string[] | null) => void;
}

interface IEntry {
  name: string;
  label: string;
  share: number;
}

/** Which metrics, parameters, tags and attributes are columns; any of hundreds is found by typing. */
export function ColumnChooser(props: IColumnChooserProps): JSX.Element {
  const { trans } = useStudio();
  return (
    <Popover icon="columns" label={trans.__('Columns')} testId={TEST.runColumns}>
      {() => <Choices {...props} />}
    </Popover>
  );
}

function Choices({ keys, columns, isOwn, onChange }: IColumnChooserProps): JSX.Element {
  const { trans } = useStudio();
  const [typed, setTyped] = useState('');
  const groups = useMemo(() => {
    const entries = (kind: 'metrics' | 'params' | 'tags'): IEntry[] =>
      (keys?.[kind] ?? []).map(({ name, share }) => ({ name: `${kind}.${name}`, label: name, share }));
    const own = entries('tags').filter(({ label }) => !label.startsWith('mlflow.') && !label.startsWith('studio.'));
    const system = entries('tags').filter(entry => !own.includes(entry));
    const attributes = [...ATTRIBUTES.filter(name => name !== RUN), NOTE].map(name => ({ name, label: labelOf(name, trans), share: 1 }));
    return [
      { title: trans.__('Metrics'), entries: entries('metrics') },
      { title: trans.__('Parameters'), entries: entries('params') },
      { title: trans.__('Run'), entries: attributes },
      { title: trans.__('Tags'), entries: own },
      { title: trans.__('Tags of clients'), entries: system.filter(({ name }) => name !== NOTE) }
    ];
  }, [keys, trans]);
  const wanted = typed.trim().toLowerCase();
  const found = groups.map(group => ({ ...group, entries: group.entries.filter(({ label }) => label.toLowerCase().includes(wanted)) }));
  const every = found.flatMap(group => group.entries);
  const toggle = (name: string): void => onChange(columns.includes(name) ? columns.filter(column => column !== name) : [...columns, name]);
  return (
    <div className="jp-Studio-chooser">
      <TextInput value={typed} onChange={setTyped} label={trans.__('Find a column')} placeholder={trans.__('Find among %1 keys', groups.reduce((sum, group) => sum + group.entries.length, 0))} testId={TEST.runColumnSearch} autoFocus />
      <div className="jp-Studio-keyList">
        {found.map(({ title, entries }) =>
          entries.length === 0 ? null : (
            <fieldset key={title}>
              <legend>
                {title} <span>{entries.length}</span>
              </legend>
              {entries.slice(0, MOST).map(entry => (
                <Choice key={entry.name} entry={entry} columns={columns} onToggle={toggle} />
              ))}
              {entries.length > MOST && <p className="jp-Studio-hint">{trans.__('%1 more: type part of the name', entries.length - MOST)}</p>}
            </fieldset>
          )
        )}
        {every.length === 0 && <p className="jp-Studio-hint">{keys ? trans.__('No key has “%1” in its name.', typed) : trans.__('Looking through the runs…')}</p>}
      </div>
      <footer>
        <Link onClick={() => onChange([...new Set([...columns, ...every.slice(0, MOST).map(({ name }) => name)])])}>{wanted ? trans.__('Show these') : trans.__('Show all')}</Link>
        <Link onClick={() => onChange(columns.filter(name => name === RUN || !every.some(entry => entry.name === name || entry.name === columnBase(name))))}>{wanted ? trans.__('Hide these') : trans.__('Hide all')}</Link>
        {isOwn && <Link onClick={() => onChange(null)}>{trans.__('Back to those that say most')}</Link>}
      </footer>
    </div>
  );
}

function columnBase(name: string): string {
  return name.replace(/#(min|max)$/, '');
}

function Choice({ entry, columns, onToggle }: { entry: IEntry; columns: string[]; onToggle: (name: string) => void }): JSX.Element {
  const { trans } = useStudio();
  const column = columnOf(entry.name);
  const shown = BOUNDS.filter(bound => column && columns.includes(nameOf({ ...column, bound })));
  const first = column && nameOf({ ...column, bound: shown[0] ?? 'last' });
  return (
    <div className="jp-Studio-choiceLine">
      <label title={trans.__('%1: in %2 % of the runs', entry.label, Math.round(entry.share * 100))}>
        <input type="checkbox" checked={shown.length > 0} data-testid={TEST.runColumn(entry.name)} onChange={() => first && onToggle(first)} />
        <span>{entry.label}</span>
      </label>
      {column?.kind === 'metrics' &&
        BOUNDS.map(bound => (
          <button key={bound} type="button" aria-pressed={shown.includes(bound)} title={{ last: trans.__('Last value'), min: trans.__('Lowest value'), max: trans.__('Highest value') }[bound]} onClick={() => onToggle(nameOf({ ...column, bound }))}>
            {bound}
          </button>
        ))}
    </div>
  );
}
