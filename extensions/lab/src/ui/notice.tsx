import type { ReactNode, SyntheticEvent } from 'react';

import { useStudio } from '../hooks';
import { Icon, IconName } from '../icons';
import { StudioError } from '../request';
import { TEST } from '../testids';
import { Button } from './button';
import { CodeSnippet } from './code';

interface IEmptyStateProps {
  icon: IconName;
  title: string;
  text: string;
  action?: ReactNode;
  code?: string;
  testId?: string;
}

/** What a list is for while it is empty, the first step, and the line of code that does it. */
export function EmptyState({ icon, title, text, action, code, testId }: IEmptyStateProps): JSX.Element {
  return (
    <div className="jp-Studio-empty" data-testid={testId}>
      <div className="jp-Studio-emptyIcon">
        <Icon name={icon} size={24} />
      </div>
      <h2>{title}</h2>
      <p>{text}</p>
      {action && <div className="jp-Studio-emptyAction">{action}</div>}
      {code && <CodeSnippet code={code} />}
    </div>
  );
}

/** What happened and what to do next; a traceback stays folded. */
export function ErrorBox({ error, onRetry, title }: { error: StudioError | Error; onRetry?: () => void; title?: string }): JSX.Element {
  const { trans } = useStudio();
  const [head, ...rest] = error.message.split('\n');
  const trace = rest.join('\n').trim();
  return (
    <div className="jp-Studio-error" role="alert" data-testid={TEST.error}>
      <Icon name="error" />
      <div>
        <strong>{title ?? head}</strong>
        {title && <p>{head}</p>}
        {error instanceof StudioError && error.hint && <p>{error.hint}</p>}
        {trace && (
          <details onToggle={showEnd}>
            <summary>{trans.__('Traceback')}</summary>
            <pre>{trace}</pre>
          </details>
        )}
      </div>
      {onRetry && <Button onClick={onRetry}>{trans.__('Try again')}</Button>}
    </div>
  );
}

/** A traceback ends in what went wrong: that is what is seen first. */
function showEnd(event: SyntheticEvent<HTMLDetailsElement>): void {
  const text = event.currentTarget.querySelector('pre');
  if (text) {
    text.scrollTop = text.scrollHeight;
  }
}

/** Rows in place of rows, so that nothing jumps when the data comes. */
export function Skeleton({ rows = 5 }: { rows?: number }): JSX.Element {
  const { trans } = useStudio();
  return (
    <div className="jp-Studio-skeleton" role="status" aria-label={trans.__('Loading')}>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} style={{ width: `${94 - ((i * 17) % 38)}%` }} />
      ))}
    </div>
  );
}
