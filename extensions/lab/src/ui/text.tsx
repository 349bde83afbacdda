import { ReactNode, useEffect, useRef, useState } from 'react';

import { formatAgo, formatExact, shortId } from '../format';
import { useNow, useStudio } from '../hooks';
import { Icon } from '../icons';

/** A relative time with the exact one on hover. */
export function Ago({ at }: { at: number | null | undefined }): JSX.Element {
  const now = useNow();
  return (
    <time className="jp-Studio-ago" title={formatExact(at)}>
      {formatAgo(at, now)}
    </time>
  );
}

/** A value that fades once when it changes, so that the eye finds what moved. */
export function Fade({ children }: { children: string | number }): JSX.Element {
  const before = useRef(children);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (before.current !== children) {
      before.current = children;
      setTurn(value => value + 1);
    }
  }, [children]);
  return (
    <span key={turn} className={turn ? 'jp-Studio-fade' : undefined}>
      {children}
    </span>
  );
}

export function useCopy(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const copy = (text: string): void => {
    void navigator.clipboard?.writeText(text);
    setCopied(true);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setCopied(false), 1500);
  };
  return [copied, copy];
}

/** A shortened id; a click copies the whole. `tail` keeps its end, where ids of rows of one request differ. */
export function Id({ id, whole, tail }: { id: string; whole?: boolean; tail?: boolean }): JSX.Element {
  const { trans } = useStudio();
  const [copied, copy] = useCopy();
  return (
    <button
      type="button"
      className="jp-Studio-id"
      title={copied ? trans.__('Copied') : trans.__('%1 – click to copy', id)}
      onClick={event => {
        event.stopPropagation();
        copy(id);
      }}
    >
      <span>{whole ? id : tail && id.length > 12 ? `…${id.slice(-9)}` : shortId(id)}</span>
      <Icon name={copied ? 'check' : 'copy'} size={12} />
    </button>
  );
}

/** A figure with its label; the unit stands in the label. */
export function Metric({ label, value, hint, children, testId }: { label: string; value: string; hint?: string; children?: ReactNode; testId?: string }): JSX.Element {
  return (
    <div className="jp-Studio-metric" title={hint} data-testid={testId}>
      <div className="jp-Studio-label">{label}</div>
      <div className="jp-Studio-metricValue">
        <Fade>{value}</Fade>
      </div>
      {children}
    </div>
  );
}

export function KeyValue({ items }: { items: [string, ReactNode][] }): JSX.Element {
  return (
    <dl className="jp-Studio-keyValue">
      {items.map(([key, value]) => (
        <div key={key}>
          <dt title={key}>{key}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Tag({ children, title, tone }: { children: ReactNode; title?: string; tone?: 'brand' | 'warning' }): JSX.Element {
  return (
    <span className={`jp-Studio-tag${tone ? ` jp-mod-${tone}` : ''}`} title={title}>
      {children}
    </span>
  );
}

export function Section({ title, aside, children }: { title: string; aside?: ReactNode; children: ReactNode }): JSX.Element {
  return (
    <section className="jp-Studio-section">
      <header>
        <h3>{title}</h3>
        {aside}
      </header>
      {children}
    </section>
  );
}
