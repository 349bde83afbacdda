import { ReactNode, useId } from 'react';

import { Icon } from '../icons';

interface IFieldProps {
  label: string;
  hint?: ReactNode;
  error?: string;
  children: (id: string) => ReactNode;
}

export function Field({ label, hint, error, children }: IFieldProps): JSX.Element {
  const id = useId();
  return (
    <div className={`jp-Studio-field${error ? ' jp-mod-invalid' : ''}`}>
      <label htmlFor={id} title={label}>
        {label}
      </label>
      {children(id)}
      {(error ?? hint) && <div className="jp-Studio-hint">{error ?? hint}</div>}
    </div>
  );
}

interface ITextInputProps {
  id?: string;
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  testId?: string;
  autoFocus?: boolean;
  mono?: boolean;
  label?: string;
  disabled?: boolean;
}

export function TextInput({ id, value, onChange, placeholder, testId, autoFocus, mono, label, disabled }: ITextInputProps): JSX.Element {
  return (
    <input
      id={id}
      className={`jp-Studio-input${mono ? ' jp-mod-mono' : ''}`}
      value={value}
      placeholder={placeholder}
      aria-label={label}
      data-testid={testId}
      data-autofocus={autoFocus ? '' : undefined}
      disabled={disabled}
      spellCheck={false}
      autoComplete="off"
      onChange={event => onChange(event.target.value)}
    />
  );
}

interface ISelectProps {
  id?: string;
  value: string;
  options: (string | [string, string])[];
  onChange: (value: string) => void;
  testId?: string;
  label?: string;
  disabled?: boolean;
}

export function Select({ id, value, options, onChange, testId, label, disabled }: ISelectProps): JSX.Element {
  return (
    <span className="jp-Studio-select">
      <select id={id} value={value} aria-label={label} data-testid={testId} disabled={disabled} onChange={event => onChange(event.target.value)}>
        {options.map(option => {
          const [key, text] = typeof option === 'string' ? [option, option] : option;
          return (
            <option key={key} value={key}>
              {text}
            </option>
          );
        })}
      </select>
      <Icon name="down" size={12} />
    </span>
  );
}

interface ITabsProps<T extends string> {
  tabs: [T, string][];
  active: T;
  onSelect: (tab: T) => void;
  testId?: (tab: string) => string;
}

/** Tabs of a page; left and right arrows move between them. */
export function Tabs<T extends string>({ tabs, active, onSelect, testId }: ITabsProps<T>): JSX.Element {
  const move = (step: number): void => {
    const index = tabs.findIndex(([key]) => key === active);
    const next = tabs[(index + step + tabs.length) % tabs.length];
    if (next) {
      onSelect(next[0]);
    }
  };
  return (
    <div
      className="jp-Studio-tabs"
      role="tablist"
      onKeyDown={event => {
        if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
          move(event.key === 'ArrowRight' ? 1 : -1);
        }
      }}
    >
      {tabs.map(([key, text]) => (
        <button key={key} type="button" role="tab" aria-selected={key === active} tabIndex={key === active ? 0 : -1} data-testid={testId?.(key)} onClick={() => onSelect(key)}>
          {text}
        </button>
      ))}
    </div>
  );
}
