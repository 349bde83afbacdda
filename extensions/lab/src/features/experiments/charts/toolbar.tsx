import { useState } from 'react';

import { useStudio } from '../../../hooks';
import { TEST } from '../../../testids';
import { Button, Select, TextInput } from '../../../ui';
import { Popover } from './popover';
import type { ChartsState, XAxis } from './state';

interface IToolbarProps {
  state: ChartsState;
  onChange: (change: Partial<ChartsState>) => void;
  metrics: string[];
  shown: string[];
  params: string[];
  isZoomed: boolean;
  onReset: () => void;
}

/** What the curves run over, how they are smoothed, which there are. */
export function CurvesToolbar({ state, onChange, metrics, shown, params, isZoomed, onReset }: IToolbarProps): JSX.Element {
  const { trans } = useStudio();
  const axes: [XAxis, string][] = [
    ['step', trans.__('Step')],
    ['time', trans.__('Time')],
    ['relative', trans.__('Relative')]
  ];
  return (
    <div className="jp-Studio-chartTools" role="toolbar" aria-label={trans.__('Curves')}>
      <div className="jp-Studio-segments" role="radiogroup" aria-label={trans.__('Horizontal axis')}>
        {axes.map(([axis, text]) => (
          <button key={axis} type="button" role="radio" aria-checked={state.x === axis} data-testid={TEST.chartControl(axis)} onClick={() => onChange({ x: axis })}>
            {text}
          </button>
        ))}
      </div>
      <Toggle name="log-x" on={state.logX && state.x !== 'time'} disabled={state.x === 'time'} title={trans.__('Logarithmic horizontal axis')} onChange={logX => onChange({ logX })}>
        {trans.__('Log x')}
      </Toggle>
      <Toggle name="log-y" on={state.logY} title={trans.__('Logarithmic vertical axis; values of zero and below have no place on it')} onChange={logY => onChange({ logY })}>
        {trans.__('Log y')}
      </Toggle>
      <label className="jp-Studio-slider" title={trans.__('Moving average; what was logged stays faint beneath')}>
        <span>{trans.__('Smoothing')}</span>
        <input type="range" min={0} max={0.99} step={0.01} value={state.smoothing} data-testid={TEST.chartControl('smoothing')} onChange={event => onChange({ smoothing: Number(event.target.value) })} />
        <output>{state.smoothing.toFixed(2)}</output>
      </label>
      <span className="jp-Studio-chartGroup">
        <Select
          label={trans.__('Group by')}
          testId={TEST.chartControl('group')}
          value={state.groupBy}
          options={[['', trans.__('Every run')], ...params.map((param): [string, string] => [param, trans.__('Mean by %1', param)])]}
          onChange={groupBy => onChange({ groupBy })}
        />
      </span>
      <MetricChooser onChange={onChange} metrics={metrics} shown={shown} />
      <Popover icon="more" label={trans.__('More')} isQuiet testId={TEST.chartControl('more')}>
        {() => (
          <div className="jp-Studio-chooser">
            <Option name="clip" on={state.clip} text={trans.__('Ignore outliers')} hint={trans.__('The vertical range leaves the outermost 2 % out')} onChange={clip => onChange({ clip })} />
            <Option name="linked" on={state.linked} text={trans.__('Zoom together')} hint={trans.__('A zoom in one chart zooms all')} onChange={linked => onChange({ linked })} />
          </div>
        )}
      </Popover>
      {isZoomed && (
        <Button kind="quiet" icon="undo" testId={TEST.chartControl('reset')} onClick={onReset}>
          {trans.__('Reset zoom')}
        </Button>
      )}
    </div>
  );
}

interface IToggleProps {
  name: string;
  on: boolean;
  title: string;
  disabled?: boolean;
  onChange: (on: boolean) => void;
  children: string;
}

export function Toggle({ name, on, title, disabled, onChange, children }: IToggleProps): JSX.Element {
  return (
    <button type="button" className="jp-Studio-toggle" aria-pressed={on} title={title} disabled={disabled} data-testid={TEST.chartControl(name)} onClick={() => onChange(!on)}>
      {children}
    </button>
  );
}

function Option({ name, on, text, hint, onChange }: { name: string; on: boolean; text: string; hint: string; onChange: (on: boolean) => void }): JSX.Element {
  return (
    <label className="jp-Studio-option">
      <input type="checkbox" checked={on} data-testid={TEST.chartControl(name)} onChange={() => onChange(!on)} />
      <span>
        {text}
        <span className="jp-Studio-hint">{hint}</span>
      </span>
    </label>
  );
}

function MetricChooser({ onChange, metrics, shown }: Pick<IToolbarProps, 'onChange' | 'metrics' | 'shown'>): JSX.Element {
  const { trans } = useStudio();
  const [typed, setTyped] = useState('');
  const found = metrics.filter(metric => metric.toLowerCase().includes(typed.toLowerCase()));
  const toggle = (metric: string): void => onChange({ metrics: shown.includes(metric) ? shown.filter(key => key !== metric) : [...shown, metric] });
  return (
    <Popover icon="run" label={trans.__('Metrics %1 of %2', shown.length, metrics.length)} testId={TEST.chartControl('metrics')}>
      {() => (
        <div className="jp-Studio-chooser">
          <TextInput value={typed} onChange={setTyped} placeholder={trans.__('Search')} label={trans.__('Search metrics')} autoFocus />
          <div className="jp-Studio-chooserList">
            {found.map(metric => (
              <label key={metric} title={metric}>
                <input type="checkbox" checked={shown.includes(metric)} disabled={shown.length === 1 && shown[0] === metric} onChange={() => toggle(metric)} />
                <span>{metric}</span>
              </label>
            ))}
            {found.length === 0 && <span className="jp-Studio-hint">{trans.__('No metric has this in its name')}</span>}
          </div>
          <div className="jp-Studio-chooserFoot">
            <Button kind="quiet" onClick={() => onChange({ metrics: found })} disabled={found.length === 0}>
              {trans.__('Show these')}
            </Button>
            <Button kind="quiet" onClick={() => onChange({ metrics: [] })}>
              {trans.__('As at first')}
            </Button>
          </div>
        </div>
      )}
    </Popover>
  );
}
