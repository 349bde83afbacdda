import { ReactNode, useEffect, useRef, useState } from 'react';

import { GUIDES } from '../guides';
import { useStudio } from '../hooks';
import { Icon, IconName } from '../icons';
import { TEST } from '../testids';
import type { PanelName } from '../tokens';
import { Button } from './button';
import { CodeSnippet } from './code';
import { Drawer } from './overlay';

interface IPanelProps {
  name: PanelName;
  title: ReactNode;
  icon?: IconName;
  /** Beside the title: a count, a state. */
  aside?: ReactNode;
  /** Under the title. */
  subtitle?: ReactNode;
  actions?: ReactNode;
  /** The code that does what is seen; without it the guide's. */
  code?: string;
  /** The content brings its own scrolling. */
  bare?: boolean;
  children: ReactNode;
}

/** The frame of every panel: title, the one primary action, the code, the guide. */
export function Panel({ name, title, icon, aside, subtitle, actions, code, bare, children }: IPanelProps): JSX.Element {
  const { trans } = useStudio();
  const [showsCode, setShowsCode] = useState(false);
  const [showsGuide, setShowsGuide] = useState(false);
  const guide = GUIDES[name](trans);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = root.current;
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.key === '/' && !/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) {
        const filter = element?.querySelector<HTMLElement>('[data-filter] input, input[data-filter]');
        if (filter) {
          event.preventDefault();
          filter.focus();
        }
      }
    };
    element?.addEventListener('keydown', onKey);
    return () => element?.removeEventListener('keydown', onKey);
  }, []);
  return (
    <div className="jp-Studio-panel" ref={root} data-testid={TEST.panel(name)}>
      <header className="jp-Studio-panelHead">
        <div className="jp-Studio-panelTitle">
          <h1>
            {icon && <Icon name={icon} />}
            {title}
            {aside}
          </h1>
          {subtitle && <div className="jp-Studio-subtitle">{subtitle}</div>}
        </div>
        <div className="jp-Studio-actions">
          <Button kind="quiet" icon="code" title={trans.__('Show the code for this')} testId={TEST.codeButton} onClick={() => setShowsCode(!showsCode)} />
          <Button kind="quiet" icon="help" title={trans.__('Guide')} testId={TEST.helpButton} onClick={() => setShowsGuide(true)} />
          {actions}
        </div>
      </header>
      {showsCode && (
        <div className="jp-Studio-codeStrip">
          <CodeSnippet code={code ?? guide.code} />
        </div>
      )}
      <div className={bare ? 'jp-Studio-panelBare' : 'jp-Studio-panelBody'}>{children}</div>
      {showsGuide && (
        <Drawer title={guide.title} width={440} onClose={() => setShowsGuide(false)}>
          {guide.text.map(paragraph => (
            <p key={paragraph}>{paragraph}</p>
          ))}
          <CodeSnippet code={code ?? guide.code} />
          {guide.words && <p className="jp-Studio-hint">{guide.words}</p>}
          <p className="jp-Studio-hint">{trans.__('Keys: arrows and Enter in tables, Space selects, / goes to the filter, Esc closes.')}</p>
        </Drawer>
      )}
    </div>
  );
}

/** A list at the left, the chosen thing at the right. */
export function Split({ list, width = 280, children }: { list: ReactNode; width?: number; children: ReactNode }): JSX.Element {
  return (
    <div className="jp-Studio-split" style={{ gridTemplateColumns: `${width}px minmax(0, 1fr)` }}>
      <div className="jp-Studio-splitList">{list}</div>
      <div className="jp-Studio-splitMain">{children}</div>
    </div>
  );
}

interface IListItem {
  key: string;
  title: ReactNode;
  lead?: ReactNode;
  detail?: ReactNode;
  trail?: ReactNode;
  testId?: string;
}

/** A short list to choose from, two lines each; arrows move the choice. */
export function ChoiceList({ label, items, active, onChoose }: { label: string; items: IListItem[]; active: string; onChoose: (key: string) => void }): JSX.Element {
  const index = items.findIndex(item => item.key === active);
  return (
    <div
      className="jp-Studio-choices"
      role="listbox"
      aria-label={label}
      tabIndex={0}
      onKeyDown={event => {
        const to = { ArrowDown: index + 1, ArrowUp: index - 1 }[event.key];
        const item = to === undefined ? undefined : items[to];
        if (item) {
          event.preventDefault();
          onChoose(item.key);
        }
      }}
    >
      {items.map(item => (
        <div key={item.key} className={`jp-Studio-choice${item.key === active ? ' jp-mod-active' : ''}`} role="option" aria-selected={item.key === active} data-testid={item.testId} onClick={() => onChoose(item.key)}>
          {item.lead}
          <div className="jp-Studio-choiceText">
            <div>{item.title}</div>
            {item.detail && <div className="jp-Studio-hint">{item.detail}</div>}
          </div>
          {item.trail}
        </div>
      ))}
    </div>
  );
}
