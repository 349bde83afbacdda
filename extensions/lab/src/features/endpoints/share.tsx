import { CSSProperties, useState } from 'react';

import { useStudio } from '../../hooks';
import { TEST } from '../../testids';

interface IShareInputProps {
  name: string;
  share: number;
  /** What it is now, where something else is typed. */
  before: number;
  locked: boolean;
  suffix: string;
  color?: string;
  title?: string;
  onChange: (value: number) => void;
}

/** A share as a slider and as a number; arrows move both by one per cent. */
export function ShareInput({ name, share, before, locked, suffix, color, title, onChange }: IShareInputProps): JSX.Element {
  const { trans } = useStudio();
  // What is being typed stays as typed until it is left: "9." is no 9 yet.
  const [text, setText] = useState<string | null>(null);
  const label = trans.__('Traffic of %1 in per cent', name);
  return (
    <span className={`jp-Studio-share${share === before ? '' : ' jp-mod-changed'}`} title={title}>
      <input
        type="range"
        min={0}
        max={100}
        step={1}
        value={share}
        disabled={locked}
        aria-label={label}
        style={{ '--jp-Studio-share': `${share}%`, ...(color && { '--jp-Studio-shareColor': color }) } as CSSProperties}
        data-testid={TEST.variantSlider(name)}
        onChange={event => onChange(Number(event.target.value))}
      />
      <input
        className="jp-Studio-input"
        inputMode="decimal"
        value={text ?? String(Number(share.toFixed(1)))}
        disabled={locked}
        aria-label={label}
        data-testid={TEST.variantShare(name)}
        onChange={event => {
          setText(event.target.value);
          const value = Number(event.target.value.replace(',', '.'));
          if (event.target.value.trim() !== '' && Number.isFinite(value)) {
            onChange(Math.min(100, Math.max(0, value)));
          }
        }}
        onKeyDown={event => {
          const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
          if (step) {
            event.preventDefault();
            setText(null);
            onChange(Math.min(100, Math.max(0, Math.round(share) + step)));
          }
        }}
        onBlur={() => setText(null)}
      />
      <span>{suffix}</span>
    </span>
  );
}
