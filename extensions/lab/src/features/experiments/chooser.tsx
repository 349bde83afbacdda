import { useEffect, useRef, useState } from 'react';

import { useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button } from '../../ui';

interface IChooserProps {
  metrics: string[];
  params: string[];
  chosen: { metrics: string[]; params: string[] };
  onChange: (chosen: { metrics: string[]; params: string[] }) => void;
}

/** Which metrics and parameters are columns. */
export function ColumnChooser({ metrics, params, chosen, onChange }: IChooserProps): JSX.Element {
  const { trans } = useStudio();
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) {
      return;
    }
    const close = (event: Event): void => {
      if (!(event instanceof KeyboardEvent) ? !root.current?.contains(event.target as Node) : event.key === 'Escape') {
        setOpen(false);
      }
    };
    document.addEventListener('mousedown', close);
    document.addEventListener('keydown', close);
    return () => {
      document.removeEventListener('mousedown', close);
      document.removeEventListener('keydown', close);
    };
  }, [open]);
  const toggle = (kind: 'metrics' | 'params', key: string): void => {
    const keys = chosen[kind];
    onChange({ ...chosen, [kind]: keys.includes(key) ? keys.filter(k => k !== key) : [...keys, key] });
  };
  const group = (title: string, kind: 'metrics' | 'params', keys: string[]): JSX.Element => (
    <fieldset>
      <legend>{title}</legend>
      {keys.length === 0 && <span className="jp-Studio-hint">{trans.__('None logged yet')}</span>}
      {keys.map(key => (
        <label key={key} title={key}>
          <input type="checkbox" checked={chosen[kind].includes(key)} onChange={() => toggle(kind, key)} />
          <span>{key}</span>
        </label>
      ))}
    </fieldset>
  );
  return (
    <div className="jp-Studio-popoverRoot" ref={root}>
      <Button icon="columns" testId={TEST.runColumns} onClick={() => setOpen(!open)}>
        {trans.__('Columns')}
      </Button>
      {open && (
        <div className="jp-Studio-popover">
          {group(trans.__('Metrics'), 'metrics', metrics)}
          {group(trans.__('Parameters'), 'params', params)}
        </div>
      )}
    </div>
  );
}
