import { ReactNode, useEffect, useRef, useState } from 'react';

import type { IconName } from '../../../icons';
import { Button } from '../../../ui';

interface IPopoverProps {
  icon: IconName;
  /** On the button, or only its title. */
  label: string;
  isQuiet?: boolean;
  testId?: string;
  children: (close: () => void) => ReactNode;
}

/** A button and what it opens; a click elsewhere and Esc close it, Esc gives the focus back. */
export function Popover({ icon, label, isQuiet, testId, children }: IPopoverProps): JSX.Element {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const close = (): void => {
    setOpen(false);
    root.current?.querySelector<HTMLElement>('button')?.focus();
  };
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
        close();
      }
    };
    document.addEventListener('mousedown', onDown);
    // On the document: an entry that is disabled while it works loses the focus, and Esc must still close.
    document.addEventListener('keydown', onKey, true);
    return () => {
      document.removeEventListener('mousedown', onDown);
      document.removeEventListener('keydown', onKey, true);
    };
  }, [open]);
  return (
    <div className="jp-Studio-popoverRoot" ref={root}>
      <Button icon={icon} kind={isQuiet ? 'quiet' : 'plain'} title={isQuiet ? label : undefined} testId={testId} onClick={() => setOpen(!open)}>
        {isQuiet ? undefined : label}
      </Button>
      {open && <div className="jp-Studio-popover jp-mod-chart">{children(close)}</div>}
    </div>
  );
}
