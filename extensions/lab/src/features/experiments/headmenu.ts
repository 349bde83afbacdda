import type { TranslationBundle } from '@jupyterlab/translation';

import type { IMenuItem } from '../../ui';
import { Bound, RUN, columnOf, nameOf } from './columns';
import { IRunView, canGroup, moved } from './view';

/** What can be done with a column. */
export function columnItems(name: string, all: string[], view: IRunView, onView: (change: Partial<IRunView>) => void, trans: TranslationBundle): IMenuItem[] {
  const column = columnOf(name);
  const isPinned = name === RUN || view.pinned.includes(name);
  const at = all.indexOf(name);
  const sort = (descending: boolean): void => onView({ sort: [{ column: name, descending }] });
  const bounds: [Bound, string][] = [
    ['last', trans.__('Last value')],
    ['min', trans.__('Lowest value')],
    ['max', trans.__('Highest value')]
  ];
  const items: IMenuItem[] = [
    { label: trans.__('Sort ascending'), icon: 'up', act: () => sort(false) },
    { label: trans.__('Sort descending'), icon: 'down', act: () => sort(true) }
  ];
  if (view.sort.length && !view.sort.some(item => item.column === name)) {
    items.push({ label: trans.__('Then by this'), icon: 'plus', detail: trans.__('Shift-click'), act: () => onView({ sort: [...view.sort, { column: name, descending: column?.kind === 'metrics' }] }) });
  }
  if (view.sort.length) {
    items.push({ label: trans.__('No order: newest first'), icon: 'clock', act: () => onView({ sort: [] }) });
  }
  if (column?.kind === 'metrics') {
    bounds.forEach(([bound, label], n) => {
      const other = nameOf({ ...column, bound });
      items.push({
        label,
        isChecked: column.bound === bound,
        begins: n === 0,
        act: () => onView({ columns: [...new Set(all.map(item => (item === name ? other : item)))], sort: view.sort.map(item => (item.column === name ? { ...item, column: other } : item)) })
      });
    });
  }
  if (canGroup(name) && name !== RUN) {
    items.push({ label: trans.__('Group by this'), icon: 'group', begins: true, isDisabled: view.group === name, act: () => onView({ group: name }) });
  }
  if (name !== RUN) {
    items.push(
      { label: isPinned ? trans.__('Unpin') : trans.__('Pin at the left'), icon: 'pin', begins: true, act: () => onView({ pinned: isPinned ? view.pinned.filter(item => item !== name) : [...view.pinned, name] }) },
      { label: trans.__('Move left'), detail: 'Alt+←', isDisabled: at <= 1, act: () => onView({ columns: moved(all, name, all[at - 1] ?? null) }) },
      { label: trans.__('Move right'), detail: 'Alt+→', isDisabled: at >= all.length - 1, act: () => onView({ columns: moved(all, name, all[at + 2] ?? null) }) },
      { label: trans.__('Hide'), icon: 'close', begins: true, act: () => onView({ columns: all.filter(item => item !== name), sort: view.sort.filter(item => item.column !== name) }) }
    );
  }
  return items;
}
