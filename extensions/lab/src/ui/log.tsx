import { useEffect, useRef, useState } from 'react';

import { useStudio } from '../hooks';
import { ErrorBox } from './notice';

const KEPT = 400_000;

export interface ILogPiece {
  text: string;
  next_offset: number;
  done: boolean;
}

interface ILogViewProps {
  /** What is read: another name begins anew. */
  source: string;
  read: (offset: number) => Promise<ILogPiece>;
  /** Nothing more will come. */
  over: boolean;
  testId?: string;
}

/** A log as it grows; it follows the end unless one has scrolled away from it. */
export function LogView({ source, read, over, testId }: ILogViewProps): JSX.Element {
  const { trans } = useStudio();
  const [text, setText] = useState('');
  const [failed, setFailed] = useState<Error | null>(null);
  const box = useRef<HTMLPreElement>(null);
  const pinned = useRef(true);
  const reader = useRef(read);
  reader.current = read;
  useEffect(() => {
    let alive = true;
    let timer = 0;
    let offset = 0;
    setText('');
    const next = async (): Promise<void> => {
      let wait = 1000;
      try {
        if (!document.hidden) {
          const page = await reader.current(offset);
          if (!alive) {
            return;
          }
          offset = page.next_offset;
          setFailed(null);
          if (page.text) {
            setText(before => (before + page.text).slice(-KEPT));
            wait = 200;
          } else if (page.done) {
            return;
          }
        }
      } catch (error) {
        setFailed(error as Error);
        wait = 3000;
      }
      if (alive) {
        timer = window.setTimeout(() => void next(), wait);
      }
    };
    void next();
    return () => {
      alive = false;
      window.clearTimeout(timer);
    };
  }, [source]);
  useEffect(() => {
    if (pinned.current && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [text]);
  return (
    <>
      {failed && <ErrorBox error={failed} />}
      <pre
        ref={box}
        className="jp-Studio-log jp-mod-fill"
        tabIndex={0}
        data-testid={testId}
        onScroll={event => {
          const element = event.currentTarget;
          pinned.current = element.scrollTop + element.clientHeight > element.scrollHeight - 24;
        }}
      >
        {text || (over ? trans.__('It printed nothing.') : trans.__('Waiting for output…'))}
      </pre>
    </>
  );
}
