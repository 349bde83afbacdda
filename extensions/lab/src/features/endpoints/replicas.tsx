import type { TranslationBundle } from '@jupyterlab/translation';

import { useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Field, TextInput } from '../../ui';

/** At least and at most, as typed. */
export interface IRange {
  least: string;
  most: string;
}

export const MOST_REPLICAS = 32;

export function rangeProblem({ least, most }: IRange, trans: TranslationBundle): string {
  const [a, b] = [Number(least), Number(most)];
  const fits = least.trim() && most.trim() && Number.isInteger(a) && Number.isInteger(b) && a >= 1 && a <= b && b <= MOST_REPLICAS;
  return fits ? '' : trans.__('Whole numbers from 1 to %1, the least not above the most.', MOST_REPLICAS);
}

export function ReplicaRange({ range, onChange, problem }: { range: IRange; onChange: (range: IRange) => void; problem: string }): JSX.Element {
  const { trans } = useStudio();
  return (
    <>
      <div className="jp-Studio-pair">
        <Field label={trans.__('Replicas at least')}>{id => <TextInput id={id} value={range.least} onChange={least => onChange({ ...range, least })} testId={TEST.deployReplicas('least')} />}</Field>
        <Field label={trans.__('At most')}>{id => <TextInput id={id} value={range.most} onChange={most => onChange({ ...range, most })} testId={TEST.deployReplicas('most')} />}</Field>
      </div>
      {problem && <p className="jp-Studio-invalidText">{problem}</p>}
    </>
  );
}
