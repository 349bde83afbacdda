import { useState } from 'react';

import type { SavedView } from '../../api/model';
import { useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Link } from '../../ui';
import { attempt, undoable } from './actions';
import { AskDialog } from './dialogs';
import { Popover } from './popover';
import { IArrangement, IRunView, PLAIN, arrangement, arrangementOf, isSame } from './view';

interface IViewsProps {
  views: SavedView[];
  view: IRunView;
  mayWrite: boolean;
  asksName: boolean;
  onApply: (arrangement: IArrangement, name: string) => void;
}

/** Saved views of the domain: chosen, saved over, saved anew, made the first to be shown, deleted. */
export function Views({ views, view, mayWrite, asksName, onApply }: IViewsProps): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const [asks, setAsks] = useState(asksName && mayWrite);
  const current = views.find(({ name }) => name === view.name);
  const isChanged = current ? !isSame(view, arrangementOf(current.state)) : false;
  const save = (name: string, isDefault: boolean): Promise<boolean> =>
    attempt(async () => {
      const saved = await studio.client.runs.saveView(name, arrangement(view), isDefault);
      onApply(arrangementOf(saved.state), saved.name);
    });
  const remove = (saved: SavedView): void => {
    const again = (): Promise<unknown> => studio.client.runs.saveView(saved.name, saved.state, saved.is_default);
    void undoable(studio, trans.__('Deleted the view %1 for everybody in the domain.', saved.name), () => studio.client.runs.deleteView(saved.name), again);
  };
  const label = current ? (isChanged ? trans.__('%1 (changed)', current.name) : current.name) : trans.__('Views');
  return (
    <>
      <Popover icon="view" label={label} isOn={!!current} testId={TEST.runViews} title={trans.__('Saved views: columns, filter, order, groups')}>
        {close => (
          <div className="jp-Studio-views">
            <ul>
              <li>
                <button type="button" aria-pressed={!current} onClick={() => (close(), onApply(PLAIN, ''))}>
                  {trans.__('Plain table')}
                </button>
              </li>
              {views.map(saved => (
                <li key={saved.name}>
                  <button type="button" aria-pressed={saved === current} title={trans.__('saved by %1', saved.owner)} onClick={() => (close(), onApply(arrangementOf(saved.state), saved.name))}>
                    {saved.name}
                    {saved.is_default && <em>{trans.__('shown first')}</em>}
                  </button>
                  {mayWrite && (
                    <span>
                      {!saved.is_default && <Link onClick={() => void attempt(() => studio.client.runs.saveView(saved.name, saved.state, true))}>{trans.__('Show first')}</Link>}
                      <Link onClick={() => remove(saved)}>{trans.__('Delete')}</Link>
                    </span>
                  )}
                </li>
              ))}
            </ul>
            {views.length === 0 && <p className="jp-Studio-hint">{trans.__('A view keeps columns, filter, order and groups under a name, for everybody in the domain.')}</p>}
            {mayWrite && (
              <footer>
                {current && isChanged && <Link onClick={() => (close(), void save(current.name, current.is_default))}>{trans.__('Save “%1”', current.name)}</Link>}
                <Link onClick={() => (close(), setAsks(true))} testId={TEST.runAct('save-view')}>
                  {trans.__('Save as a new view…')}
                </Link>
              </footer>
            )}
          </div>
        )}
      </Popover>
      {asks && <AskDialog name="view" title={trans.__('Save this view')} label={trans.__('Name')} hint={trans.__('Everybody in the domain sees it.')} verb={trans.__('Save')} value="" act={name => save(name, false)} onClose={() => setAsks(false)} />}
    </>
  );
}
