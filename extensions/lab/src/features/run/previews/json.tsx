import { useState } from 'react';

import { useStudio } from '../../../hooks';
import { Icon } from '../../../icons';
import { Link } from '../../../ui';

const PAGE = 100;

/** A JSON document whose parts are drawn when they are opened, so that depth and length cost nothing before. */
export function JsonTree({ value }: { value: unknown }): JSX.Element {
  return (
    <div className="jp-Studio-json">
      <Entry name={null} value={value} opened />
    </div>
  );
}

function Entry({ name, value, opened = false }: { name: string | null; value: unknown; opened?: boolean }): JSX.Element {
  const { trans } = useStudio();
  const [open, setOpen] = useState(opened);
  const [most, setMost] = useState(PAGE);
  const label = name === null ? null : <span className="jp-Studio-jsonKey">{name}</span>;
  if (typeof value !== 'object' || value === null) {
    return (
      <div className="jp-Studio-jsonLine">
        <span className="jp-Studio-jsonToggle" />
        {label}
        <Scalar value={value} />
      </div>
    );
  }
  const isList = Array.isArray(value);
  const entries: [string, unknown][] = open ? Object.entries(value) : [];
  const count = isList ? value.length : Object.keys(value).length;
  return (
    <div>
      <button type="button" className="jp-Studio-jsonLine" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className={`jp-Studio-jsonToggle${open ? ' jp-mod-open' : ''}`}>
          <Icon name="chevron" size={12} />
        </span>
        {label}
        <span className="jp-Studio-hint">{isList ? trans._n('%1 item', '%1 items', count) : trans._n('%1 key', '%1 keys', count)}</span>
      </button>
      {open && (
        <div className="jp-Studio-jsonChildren">
          {entries.slice(0, most).map(([key, item]) => (
            <Entry key={key} name={key} value={item} opened={name === null && count === 1} />
          ))}
          {count > most && <Link onClick={() => setMost(most + 10 * PAGE)}>{trans.__('%1 more', count - most)}</Link>}
        </div>
      )}
    </div>
  );
}

function Scalar({ value }: { value: unknown }): JSX.Element {
  const kind = typeof value === 'string' ? 'string' : typeof value === 'number' ? 'number' : 'keyword';
  const text = JSON.stringify(value) ?? 'undefined';
  return (
    <span className={`jp-Studio-code-${kind}`} title={text.length > 300 ? undefined : text}>
      {text.length > 2000 ? `${text.slice(0, 2000)}…` : text}
    </span>
  );
}
