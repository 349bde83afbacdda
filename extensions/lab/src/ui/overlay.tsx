import { ReactNode, useEffect, useRef } from 'react';
import { createPortal } from 'react-dom';

import { useAction, useStudio } from '../hooks';
import { TEST } from '../testids';
import { Button } from './button';
import { ErrorBox } from './notice';

const FOCUSABLE = 'button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), [tabindex="0"]';

/** Overlays that are open, the topmost last: keys are the topmost's. */
const open: object[] = [];

/** Focus goes in when it opens, stays inside, and back to where it was when it closes; Esc closes. */
function useFocusTrap(onClose: () => void): React.RefObject<HTMLDivElement> {
  const ref = useRef<HTMLDivElement>(null);
  const close = useRef(onClose);
  close.current = onClose;
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const root = ref.current;
    (root?.querySelector<HTMLElement>('[data-autofocus]') ?? root?.querySelector<HTMLElement>('.jp-Studio-overlayBody ' + FOCUSABLE) ?? root)?.focus();
    const me = {};
    open.push(me);
    // On the document: a button that is disabled while it works loses the focus, and Esc must still close.
    const onKey = (event: KeyboardEvent): void => {
      if (open[open.length - 1] !== me || root?.offsetParent === null) {
        return;
      }
      if (event.key === 'Escape') {
        event.stopPropagation();
        close.current();
      } else if (event.key === 'Tab' && root) {
        const stops = [...root.querySelectorAll<HTMLElement>(FOCUSABLE)];
        const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
        if (document.activeElement === edge || !root.contains(document.activeElement)) {
          event.preventDefault();
          (event.shiftKey ? stops[stops.length - 1] : stops[0])?.focus();
        }
      }
    };
    document.addEventListener('keydown', onKey, true);
    return () => {
      open.splice(open.indexOf(me), 1);
      document.removeEventListener('keydown', onKey, true);
      before?.focus?.();
    };
  }, []);
  return ref;
}

interface IModalProps {
  name: string;
  title: string;
  width?: number;
  onClose: () => void;
  footer: ReactNode;
  children: ReactNode;
}

/** A dialog over the whole window. */
export function Modal({ name, title, width = 480, onClose, footer, children }: IModalProps): JSX.Element {
  const { trans } = useStudio();
  const ref = useFocusTrap(onClose);
  return createPortal(
    <div className="jp-Studio jp-Studio-backdrop jp-ThemedContainer" onMouseDown={event => event.target === event.currentTarget && onClose()}>
      <div ref={ref} className="jp-Studio-modal" style={{ width }} role="dialog" aria-modal="true" aria-label={title} tabIndex={-1} data-testid={TEST.dialog(name)}>
        <header>
          <h2>{title}</h2>
          <Button kind="quiet" icon="close" title={trans.__('Close')} onClick={onClose} />
        </header>
        <div className="jp-Studio-overlayBody">{children}</div>
        <footer>{footer}</footer>
      </div>
    </div>,
    document.body
  );
}

interface IDrawerProps {
  title: string;
  subtitle?: ReactNode;
  actions?: ReactNode;
  width?: number;
  onClose: () => void;
  children: ReactNode;
}

/** A sheet at the right edge of the panel it belongs to. */
export function Drawer({ title, subtitle, actions, width = 560, onClose, children }: IDrawerProps): JSX.Element {
  const { trans } = useStudio();
  const ref = useFocusTrap(onClose);
  return (
    <div className="jp-Studio-drawerBackdrop" onMouseDown={event => event.target === event.currentTarget && onClose()}>
      <div ref={ref} className="jp-Studio-drawer" style={{ width }} role="dialog" aria-label={title} tabIndex={-1} data-testid={TEST.drawer}>
        <header>
          <div>
            <h2>{title}</h2>
            {subtitle && <div className="jp-Studio-hint">{subtitle}</div>}
          </div>
          <div className="jp-Studio-actions">
            {actions}
            <Button kind="quiet" icon="close" title={trans.__('Close')} onClick={onClose} />
          </div>
        </header>
        <div className="jp-Studio-overlayBody">{children}</div>
      </div>
    </div>
  );
}

interface IConfirmDialogProps {
  title: string;
  verb: string;
  children: ReactNode;
  act: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before what cannot be undone; the text names the thing and what happens to traffic, data and money. */
export function ConfirmDialog({ title, verb, children, act, onClose }: IConfirmDialogProps): JSX.Element {
  const { trans } = useStudio();
  const action = useAction(act);
  const accept = async (): Promise<void> => {
    if (await action.run()) {
      onClose();
    }
  };
  const footer = (
    <>
      <Button onClick={onClose} testId={TEST.dialogCancel}>
        {trans.__('Cancel')}
      </Button>
      <Button kind="danger" disabled={action.busy} onClick={() => void accept()} testId={TEST.dialogAccept}>
        {action.busy ? trans.__('Working…') : verb}
      </Button>
    </>
  );
  return (
    <Modal name="confirm" title={title} width={440} onClose={onClose} footer={footer}>
      {children}
      {action.error && <ErrorBox error={action.error} />}
    </Modal>
  );
}
