import { ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { createPortal } from 'react-dom';

import { Icon, IconName } from '../icons';
import { TEST } from '../testids';

export interface IMenuItem {
  label: string;
  icon?: IconName;
  /** Said at the right: a count, a key. */
  detail?: ReactNode;
  isChecked?: boolean;
  isDanger?: boolean;
  isDisabled?: boolean;
  title?: string;
  /** A line above it. */
  begins?: boolean;
  act: () => void;
}

interface IMenuProps {
  name: string;
  label: string;
  x: number;
  y: number;
  items: IMenuItem[];
  onClose: () => void;
}

/** A menu where the pointer or a button is. Arrows and the first letter move, Enter does, Esc closes. */
export function Menu({ name, label, x, y, items, onClose }: IMenuProps): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: x, top: y });
  const close = useRef(onClose);
  close.current = onClose;
  useLayoutEffect(() => {
    const box = ref.current?.getBoundingClientRect();
    if (box) {
      setPlace({ left: Math.max(4, Math.min(x, window.innerWidth - box.width - 8)), top: Math.max(4, Math.min(y, window.innerHeight - box.height - 8)) });
    }
  }, [x, y]);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    ref.current?.querySelector<HTMLElement>('button:not(:disabled)')?.focus();
    const onDown = (event: Event): void => {
      if (!ref.current?.contains(event.target as Node)) {
        close.current();
      }
    };
    const away = (): void => close.current();
    document.addEventListener('mousedown', onDown, true);
    window.addEventListener('blur', away);
    return () => {
      document.removeEventListener('mousedown', onDown, true);
      window.removeEventListener('blur', away);
      before?.focus?.({ preventScroll: true });
    };
  }, []);
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const buttons = [...(ref.current?.querySelectorAll<HTMLElement>('button:not(:disabled)') ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Escape' || event.key === 'Tab') {
      onClose();
    } else if (step) {
      buttons[(at + step + buttons.length) % buttons.length]?.focus();
    } else if (event.key.length === 1 && event.key !== ' ') {
      const wanted = event.key.toLowerCase();
      [...buttons.slice(at + 1), ...buttons.slice(0, at + 1)].find(button => button.textContent?.trim().toLowerCase().startsWith(wanted))?.focus();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return createPortal(
    <div ref={ref} className="jp-Studio jp-Studio-contextMenu jp-ThemedContainer" role="menu" aria-label={label} style={place} data-testid={TEST.menu(name)} onKeyDown={onKeyDown}>
      {items.map(item => (
        <button
          key={item.label}
          type="button"
          role={item.isChecked === undefined ? 'menuitem' : 'menuitemcheckbox'}
          aria-checked={item.isChecked}
          className={`${item.begins ? 'jp-mod-begins' : ''}${item.isDanger ? ' jp-mod-danger' : ''}`}
          disabled={item.isDisabled}
          title={item.title}
          onClick={() => {
            onClose();
            item.act();
          }}
        >
          <span className="jp-Studio-menuIcon">{item.isChecked ? <Icon name="check" size={14} /> : item.icon && item.isChecked === undefined && <Icon name={item.icon} size={14} />}</span>
          <span>{item.label}</span>
          {item.detail !== undefined && <em>{item.detail}</em>}
        </button>
      ))}
    </div>,
    document.body
  );
}

interface IMenuPlace {
  x: number;
  y: number;
}

/** Where a menu opens below a button. */
export function below(element: HTMLElement): IMenuPlace {
  const box = element.getBoundingClientRect();
  return { x: box.left, y: box.bottom + 4 };
}
