import { useStudio } from '../../hooks';
import { Button, Select, TextInput } from '../../ui';
import { DAYS, daysText } from './rules';
import { ICondition, newCondition } from './when';

interface IEditorProps {
  conditions: ICondition[];
  onChange: (conditions: ICondition[]) => void;
  instanceTypes: string[];
}

/** What must hold for the rule to apply; none: it always does. */
export function ConditionEditor({ conditions, onChange, instanceTypes }: IEditorProps): JSX.Element {
  const { trans } = useStudio();
  const known: [string, string][] = [
    ['instance_type', trans.__('the instance type')],
    ['gpu', trans.__('GPUs')],
    ['time', trans.__('days and hours')],
    ['spend', trans.__('this month’s cost')],
    ['network_mode', trans.__('the network mode')]
  ];
  const left = known.filter(([name]) => !conditions.some(condition => condition.name === name));
  const put = (index: number, change: Partial<ICondition>): void => onChange(conditions.map((condition, i) => (i === index ? { ...condition, ...change } : condition)));
  return (
    <div className="jp-Studio-conditions">
      {conditions.map((condition, i) => (
        <div key={condition.name} className="jp-Studio-condition">
          <span>{known.find(([name]) => name === condition.name)?.[1] ?? condition.name}</span>
          <div>
            <ConditionFields condition={condition} put={change => put(i, change)} instanceTypes={instanceTypes} />
          </div>
          <Button kind="quiet" icon="close" title={trans.__('Take this condition away')} onClick={() => onChange(conditions.filter(other => other !== condition))} />
        </div>
      ))}
      {left.length > 0 && (
        <Select
          value=""
          label={trans.__('Add a condition')}
          options={[['', conditions.length ? trans.__('and …') : trans.__('always')], ...left]}
          onChange={name => name && onChange([...conditions, newCondition(name)])}
        />
      )}
    </div>
  );
}

interface IFieldsProps {
  condition: ICondition;
  put: (change: Partial<ICondition>) => void;
  instanceTypes: string[];
}

function ConditionFields({ condition, put, instanceTypes }: IFieldsProps): JSX.Element {
  const { trans } = useStudio();
  const text = (label: string, placeholder = ''): JSX.Element => <TextInput value={condition.text} label={label} placeholder={placeholder} mono onChange={value => put({ text: value })} />;
  const mode = (options: [string, string][]): JSX.Element => <Select value={condition.mode} label={trans.__('How')} options={options} onChange={value => put({ mode: value })} />;
  const among: [string, string][] = [
    ['in', trans.__('is')],
    ['not_in', trans.__('is not')]
  ];
  switch (condition.name) {
    case 'instance_type':
      return (
        <>
          {mode(among)}
          {text(trans.__('Instance types'), instanceTypes.slice(0, 2).join(', ') || 'gpu.*')}
        </>
      );
    case 'network_mode':
      return (
        <>
          {mode(among)}
          <Select value={condition.text} label={trans.__('Network mode')} options={['open', 'studio', 'none']} onChange={value => put({ text: value })} />
        </>
      );
    case 'gpu':
      return (
        <>
          <span>{trans.__('more than')}</span>
          {text(trans.__('How many'))}
        </>
      );
    case 'spend':
      return (
        <>
          {mode([
            ['from', trans.__('is at least')],
            ['below', trans.__('is below')]
          ])}
          {text(trans.__('How much'))}
        </>
      );
    default:
      return <TimeFields condition={condition} put={put} mode={mode} />;
  }
}

function TimeFields({ condition, put, mode }: Omit<IFieldsProps, 'instanceTypes'> & { mode: (options: [string, string][]) => JSX.Element }): JSX.Element {
  const { trans } = useStudio();
  return (
    <>
      {mode([
        ['inside', trans.__('on')],
        ['outside', trans.__('except on')]
      ])}
      <span className="jp-Studio-days">
        {DAYS.map(day => (
          <button
            key={day}
            type="button"
            aria-pressed={condition.days.includes(day)}
            onClick={() => put({ days: condition.days.includes(day) ? condition.days.filter(other => other !== day) : [...condition.days, day] })}
          >
            {daysText([day], trans)}
          </button>
        ))}
      </span>
      <span className="jp-Studio-inline">
        <TextInput value={condition.from} label={trans.__('From')} onChange={value => put({ from: value })} />
        –
        <TextInput value={condition.to} label={trans.__('To')} onChange={value => put({ to: value })} />
        <TextInput value={condition.timezone} label={trans.__('Time zone')} onChange={value => put({ timezone: value })} />
      </span>
    </>
  );
}
