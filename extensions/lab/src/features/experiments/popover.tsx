import { ReactNode, useEffect, useRef, useState } from 'react';

import type { IconName } from '../../icons';
import { Button } from '../../ui';

interface IPopoverProps {
  label: string;
  icon: IconName;
  title?: string;
  testId?: string;
  isOn?: boolean;
  isDisabled?: boolean;
  children: (close: () => void) => ReactNode;
}

/** A button under which something opens; Esc, and a click elsewhere, close it. */
export function Popover({ label, icon, title, testId, isOn, isDisabled, children }: IPopoverProps): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) {
      return;
    }
    const close = (event: Event): void => {
      if (event instanceof KeyboardEvent) {
        if (event.key === 'Escape') {
          event.stopPropagation();
          setOpen(false);
          root.current?.querySelector('button')?.focus();
        }
      } else if (!root.current?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    document.addEventListener('mousedown', close);
    document.addEventListener('keydown', close, true);
    return () => {
      document.removeEventListener('mousedown', close);
      document.removeEventListener('keydown', close, true);
    };
  }, [isOpen]);
  return (
    <div className={`jp-Studio-popoverRoot${isOn ? ' jp-mod-on' : ''}`} ref={root}>
      <Button icon={icon} title={title} testId={testId} disabled={isDisabled} onClick={() => setOpen(!isOpen)}>
        {label}
      </Button>
      {isOpen && <div className="jp-Studio-popover">{children(() => setOpen(false))}</div>}
    </div>
  );
}
