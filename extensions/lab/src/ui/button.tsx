import type { MouseEventHandler, ReactNode } from 'react';

import { Icon, IconName } from '../icons';

interface IButtonProps {
  kind?: 'primary' | 'plain' | 'danger' | 'quiet';
  icon?: IconName;
  title?: string;
  disabled?: boolean;
  testId?: string;
  submit?: boolean;
  /** On or off, of a button that stays so. */
  pressed?: boolean;
  onClick?: MouseEventHandler<HTMLButtonElement>;
  children?: ReactNode;
}

export function Button({ kind = 'plain', icon, title, disabled, testId, submit, pressed, onClick, children }: IButtonProps): JSX.Element {
  return (
    <button
      type={submit ? 'submit' : 'button'}
      className={`jp-Studio-button jp-mod-${kind}${children ? '' : ' jp-mod-iconOnly'}`}
      title={title}
      aria-label={children ? undefined : title}
      disabled={disabled}
      aria-pressed={pressed}
      data-testid={testId}
      onClick={onClick}
    >
      {icon && <Icon name={icon} size={14} />}
      {children}
    </button>
  );
}

/** Text that leads somewhere inside Studio. */
export function Link({ onClick, title, children, testId }: { onClick: () => void; title?: string; children: ReactNode; testId?: string }): JSX.Element {
  return (
    <button
      type="button"
      className="jp-Studio-link"
      title={title}
      data-testid={testId}
      onClick={event => {
        event.stopPropagation();
        onClick();
      }}
    >
      {children}
    </button>
  );
}
