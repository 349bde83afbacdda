import { ReactNode, useEffect, useRef, useState } from 'react';

import type { IconName } from '../../../icons';
import { Button } from '../../../ui';

interface IPopoverProps {
  icon: IconName;
  /** On the button, or only its title. */
  label: string;
  isQuiet?: boolean;
  testId?: string;
  children: ReactNode;
}

/** A button and what it opens; a click elsewhere and Esc close it, Esc gives the focus back. */
export function Popover({ icon, label, isQuiet, testId, children }: IPopoverProps): JSX.Element {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) {
      return;
    }
    const element = root.current;
    element?.querySelector<HTMLElement>('[data-autofocus], [role=menuitem]')?.focus();
    const onDown = (event: MouseEvent): void => {
      if (!element?.contains(event.target as Node)) {
        setOpen(false);
      }
    };
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        setOpen(false);
        element?.querySelector<HTMLElement>('button')?.focus();
      }
    };
    document.addEventListener('mousedown', onDown);
    element?.addEventListener('keydown', onKey);
    return () => {
      document.removeEventListener('mousedown', onDown);
      element?.removeEventListener('keydown', onKey);
    };
  }, [open]);
  return (
    <div className="jp-Studio-popoverRoot" ref={root}>
      <Button icon={icon} kind={isQuiet ? 'quiet' : 'plain'} title={isQuiet ? label : undefined} testId={testId} onClick={() => setOpen(!open)}>
        {isQuiet ? undefined : label}
      </Button>
      {open && <div className="jp-Studio-popover jp-mod-chart">{children}</div>}
    </div>
  );
}
