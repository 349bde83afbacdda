import type { KeyboardEvent } from 'react';

import { useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { TEST } from '../../testids';
import { SectionName, sectionGroups } from './sections';

/** The page's side bar; up and down move through it. */
export function SideNav({ active, onChoose }: { active: SectionName; onChoose: (name: SectionName) => void }): JSX.Element {
  const { trans } = useStudio();
  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const buttons = [...event.currentTarget.querySelectorAll('button')];
      const next = buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + step];
      next?.focus();
      event.preventDefault();
    }
  };
  return (
    <nav className="jp-Studio-sideNav" aria-label={trans.__('Parts of this domain')} onKeyDown={onKeyDown}>
      {sectionGroups(trans).map(group => (
        <div key={group.title}>
          {group.title && <h3>{group.title}</h3>}
          {group.sections.map(section => (
            <button key={section.name} type="button" aria-current={section.name === active ? 'page' : undefined} data-testid={TEST.domainSection(section.name)} onClick={() => onChoose(section.name)}>
              <Icon name={section.icon} size={14} />
              <span>{section.title}</span>
            </button>
          ))}
        </div>
      ))}
    </nav>
  );
}
