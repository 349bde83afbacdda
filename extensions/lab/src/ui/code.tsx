import { useState } from 'react';

import { useStudio } from '../hooks';
import { Icon } from '../icons';
import { TEST } from '../testids';
import { useCopy } from './text';

const PATTERN =
  /(#[^\n]*)|("""[\s\S]*?"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\b(import|from|as|def|return|for|in|if|else|with|not|and|or|None|True|False|await|async|const|let|new|class)\b|(?<![\w./:-])(\d+(?:\.\d+)?)(?![\w./:])/g;
const CLASSES = ['', 'comment', 'string', 'keyword', 'number'];

/** Colours strings, numbers, comments and a few keywords; enough for snippets in Python, shell and JavaScript. */
function highlight(code: string): JSX.Element[] {
  const parts: JSX.Element[] = [];
  let end = 0;
  for (const match of code.matchAll(PATTERN)) {
    parts.push(<span key={`t${end}`}>{code.slice(end, match.index)}</span>);
    const kind = match.slice(1).findIndex(group => group !== undefined) + 1;
    parts.push(
      <span key={`m${match.index}`} className={`jp-Studio-code-${CLASSES[kind] ?? ''}`}>
        {match[0]}
      </span>
    );
    end = match.index + match[0].length;
  }
  parts.push(<span key="end">{code.slice(end)}</span>);
  return parts;
}

export function CodeSnippet({ code, testId = TEST.code }: { code: string; testId?: string }): JSX.Element {
  const { trans } = useStudio();
  const [copied, copy] = useCopy();
  return (
    <div className="jp-Studio-snippet">
      <pre data-testid={testId} tabIndex={0}>
        {highlight(code)}
      </pre>
      <button type="button" className="jp-Studio-snippetCopy" title={copied ? trans.__('Copied') : trans.__('Copy')} aria-label={trans.__('Copy')} onClick={() => copy(code)}>
        <Icon name={copied ? 'check' : 'copy'} size={14} />
      </button>
    </div>
  );
}

/** The same request in several languages, one shown. */
export function CodeTabs({ snippets }: { snippets: [string, string][] }): JSX.Element {
  const [index, setIndex] = useState(0);
  const code = snippets[index]?.[1] ?? '';
  return (
    <div>
      <div className="jp-Studio-segments" role="tablist">
        {snippets.map(([name], i) => (
          <button key={name} type="button" role="tab" aria-selected={i === index} onClick={() => setIndex(i)}>
            {name}
          </button>
        ))}
      </div>
      <CodeSnippet code={code} />
    </div>
  );
}
