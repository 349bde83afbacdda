import { KeyboardEvent, ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';

import type { RunSelection } from '../../api/model';
import { formatCount } from '../../format';
import { useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { StudioError } from '../../request';
import { TEST } from '../../testids';
import { ICompletion, IKnownKeys, IOption, completed, completionAt, quote } from './filter';

const PAUSE_MS = 250;
const AGAIN_MS = 1000;

interface IFilterBarProps {
  value: string;
  onChange: (filter: string) => void;
  keys: IKnownKeys;
  /** Over which runs values are looked for. */
  selection: RunSelection;
  error: StudioError | undefined;
  total: number | null;
  all: number;
  takesFocus: boolean;
}

/** The filter: completed while it is typed, judged by the server, wrong places marked where they are. */
export function FilterBar({ value, onChange, keys, selection, error, total, all, takesFocus }: IFilterBarProps): JSX.Element {
  const { trans } = useStudio();
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(value);
  const [sent, setSent] = useState(value);
  const [caret, setCaret] = useState<number | null>(null);
  const [chosen, setChosen] = useState(0);
  // What comes from outside (a view, a group that is looked into) takes the place of what was typed.
  if (value !== sent) {
    setSent(value);
    setTyped(value);
  }
  useEffect(() => {
    const wanted = typed.trim();
    if (wanted === value) {
      return;
    }
    const timer = window.setTimeout(() => {
      setSent(wanted);
      onChange(wanted);
    }, PAUSE_MS);
    return () => window.clearTimeout(timer);
  }, [typed, value, onChange]);

  useEffect(() => {
    if (takesFocus) {
      input.current?.focus();
    }
  }, [takesFocus]);

  const completion = caret === null ? null : completionAt(typed, caret, keys);
  const values = useValues(completion, selection);
  const offered = completion ? (completion.column ? values : completion.options) : [];
  // What is written out already is not offered.
  const options = offered.length === 1 && offered[0]?.text === typed.slice(completion?.from, completion?.to) ? [] : offered;
  const move = (): void => {
    setCaret(input.current?.selectionStart ?? null);
    setChosen(0);
  };
  const accept = (option: IOption | undefined): void => {
    if (!option || !completion) {
      return;
    }
    const next = completed(typed, completion, option);
    setTyped(next.text);
    setCaret(next.caret);
    setChosen(0);
    window.requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(next.caret, next.caret);
    });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length) {
      setChosen((chosen + step + options.length) % options.length);
    } else if (step && caret === null) {
      move();
    } else if (event.key === 'Tab' && options.length && !event.shiftKey) {
      accept(options[chosen]);
    } else if (event.key === 'Enter') {
      if (options.length && (chosen > 0 || completion?.from !== completion?.to)) {
        accept(options[chosen]);
      } else {
        setCaret(null);
        setSent(typed.trim());
        onChange(typed.trim());
      }
    } else if (event.key === 'Escape') {
      if (options.length) {
        setCaret(null);
      } else {
        setTyped('');
      }
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  // What is still being written is not wrong yet.
  const isWrong = error !== undefined && typed.trim() === value && options.length === 0;
  return (
    <div className="jp-Studio-filterBox">
      <label className={`jp-Studio-filter${isWrong ? ' jp-mod-invalid' : ''}`} data-filter="">
        <Icon name="search" size={14} />
        <input
          ref={input}
          value={typed}
          spellCheck={false}
          autoComplete="off"
          placeholder={trans.__("Filter: metrics.auc > 0.7 AND params.model = 'forest'")}
          aria-label={trans.__('Filter runs')}
          role="combobox"
          aria-expanded={options.length > 0}
          aria-controls="jp-Studio-filterOptions"
          data-testid={TEST.runFilter}
          onChange={event => {
            setTyped(event.target.value);
            setCaret(event.target.selectionStart);
            setChosen(0);
          }}
          onClick={move}
          onKeyDown={onKeyDown}
          onKeyUp={event => ['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key) && move()}
          onBlur={() => setCaret(null)}
        />
        {total !== null && !error && (
          <span className="jp-Studio-hint" data-testid={TEST.runTotal} aria-live="polite">
            {total === all ? trans._n('%2 run', '%2 runs', total, formatCount(total)) : trans.__('%1 of %2', formatCount(total), formatCount(all))}
          </span>
        )}
      </label>
      {options.length > 0 && completion && <Options options={options} chosen={chosen} left={widthOf(input.current, typed.slice(0, completion.from))} onAccept={accept} />}
      {isWrong && <FilterError error={error} left={error.position === undefined ? null : widthOf(input.current, typed.slice(0, error.position))} />}
    </div>
  );
}

/** Under the caret: what is wrong, and what to do about it. */
function FilterError({ error, left }: { error: StudioError; left: number | null }): JSX.Element {
  return (
    <div className="jp-Studio-filterError" role="alert" data-testid={TEST.runFilterError}>
      {left !== null && <i style={{ left }} />}
      <div style={{ marginLeft: left === null ? 0 : `min(${Math.max(0, left - 12)}px, 50%)` }}>
        <b>{error.message.replace(/\.?$/, '.')}</b> {left === null || !error.hint.startsWith('Look at character') ? error.hint : ''}
      </div>
    </div>
  );
}

function Options({ options, chosen, left, onAccept }: { options: IOption[]; chosen: number; left: number; onAccept: (option: IOption) => void }): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    list.current?.children[chosen]?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  const content = (option: IOption, index: number): ReactNode => (
    <div
      key={option.text}
      role="option"
      aria-selected={index === chosen}
      data-testid={TEST.runOption}
      // The field keeps the focus.
      onMouseDown={event => {
        event.preventDefault();
        onAccept(option);
      }}
    >
      <span title={option.text}>{option.text}</span>
      {option.detail && <em>{option.detail}</em>}
    </div>
  );
  return (
    <div ref={list} id="jp-Studio-filterOptions" className="jp-Studio-options" role="listbox" style={{ left: `min(${left}px, calc(100% - 280px))` }}>
      {options.map(content)}
    </div>
  );
}

/** The values that a param or tag has, read while they are typed. */
function useValues(completion: ICompletion | null, selection: RunSelection): IOption[] {
  const { client } = useStudio();
  const [found, setFound] = useState<{ key: string; options: IOption[] }>({ key: '', options: [] });
  const column = completion?.column ?? '';
  const begins = completion?.begins ?? '';
  const key = column && `${column} ${begins}`;
  const over = useRef(selection);
  over.current = selection;
  useEffect(() => {
    if (!column) {
      return;
    }
    let isOld = false;
    const ask = (): void => {
      void client.runs
        .values({ ...over.current, filter: '' }, column, begins)
        .then(values => values.map(({ value, runs }) => ({ text: quote(value), detail: formatCount(runs) })))
        .then(options => !isOld && setFound({ key, options }))
        .catch(() => {
          // A restart of the server, say: whoever still waits for the list is given it when it can be had.
          timer = isOld ? timer : window.setTimeout(ask, AGAIN_MS);
        });
    };
    let timer = window.setTimeout(ask, 120);
    return () => {
      isOld = true;
      window.clearTimeout(timer);
    };
  }, [client, column, begins, key]);
  return found.key === key ? found.options : [];
}

const PADDING = 30;

/** Where a text ends in the field, as it is scrolled now. */
function widthOf(input: HTMLInputElement | null, text: string): number {
  if (!input) {
    return 0;
  }
  const pen = document.createElement('canvas').getContext('2d');
  if (!pen) {
    return 0;
  }
  const { fontSize, fontFamily } = getComputedStyle(input);
  pen.font = `${fontSize} ${fontFamily}`;
  return Math.max(0, Math.round(pen.measureText(text).width - input.scrollLeft)) + PADDING;
}
