import { useState } from 'react';

import type { RunCost, RunDetail } from '../../api/model';
import { formatDuration } from '../../format';
import { useAction, useMoney, useResource, useStudio } from '../../hooks';
import { TEST } from '../../testids';
import { Button } from '../../ui';
import { isLive } from '../experiments/columns';

/** The run's name; a click on the pencil (or F2) edits it, Enter keeps, Esc leaves it. */
export function RunName({ run, refresh }: { run: RunDetail; refresh: () => Promise<void> }): JSX.Element {
  const { trans, client, app } = useStudio();
  const [draft, setDraft] = useState<string | null>(null);
  const rename = useAction(async (name: string) => {
    await client.run.change(run.run_id, { name });
    for (const widget of app.shell.widgets('main')) {
      if (widget.id === `jp-Studio-run-${run.run_id}`) {
        widget.title.label = name;
      }
    }
    await refresh();
  });
  const save = async (): Promise<void> => {
    const name = draft?.trim() ?? '';
    if (name === '' || name === run.name || (await rename.run(name))) {
      setDraft(null);
    }
  };
  if (draft === null) {
    return (
      <span className="jp-Studio-runTitle">
        <span title={run.name} data-testid={TEST.runName}>
          {run.name}
        </span>
        <Button kind="quiet" icon="edit" title={trans.__('Rename')} testId={TEST.runRename} onClick={() => setDraft(run.name)} />
      </span>
    );
  }
  return (
    <input
      className={`jp-Studio-input jp-Studio-renameInput${rename.error ? ' jp-mod-invalid' : ''}`}
      value={draft}
      autoFocus
      maxLength={500}
      aria-label={trans.__('Name of the run')}
      title={rename.error?.message}
      data-testid={TEST.runName}
      onChange={event => setDraft(event.target.value)}
      onFocus={event => event.target.select()}
      onBlur={() => void save()}
      onKeyDown={event => {
        if (event.key === 'Enter') {
          void save();
        } else if (event.key === 'Escape') {
          setDraft(null);
        }
      }}
    />
  );
}

/** What the run cost, and how that is known; nothing of a run from outside. */
export function RunMoney({ run }: { run: RunDetail }): JSX.Element | null {
  const { trans } = useStudio();
  const money = useMoney();
  const live = isLive(run);
  const { data } = useResource(`cost/${run.run_id}`, client => client.run.cost(run.run_id), { topics: ['runs', 'cost'], id: run.run_id, everyMs: live ? 5000 : undefined });
  if (!data || data.cost === null) {
    return data ? (
      <span className="jp-Studio-hint" title={trans.__('No kernel or job of Studio is on record for it: it ran outside.')}>
        {trans.__('no cost known')}
      </span>
    ) : null;
  }
  const time = formatDuration(data.hours * 3_600_000);
  const why = {
    job: trans._n('What its job cost: %2 on %3.', 'What its job cost, with all %1 runs in it: %2 on %3.', data.runs, time, data.instance_type),
    kernel: trans.__('An estimate: %1 at the %2 an hour of its kernel (%3).', time, money(data.price_per_hour), data.instance_type)
  }[data.basis as 'job' | 'kernel'];
  return (
    <span title={why} data-testid={TEST.runCost}>
      {data.cost > 0 && data.cost < LEAST ? `< ${money(LEAST)}` : money(data.cost)}
      {suffix(data, trans.__('estimate'), trans.__('job'))}
    </span>
  );
}

const LEAST = 0.0001; // what is shown of less is a row of zeros

function suffix(cost: RunCost, estimate: string, job: string): string {
  return cost.basis === 'kernel' ? ` (${estimate})` : cost.runs > 1 ? ` (${job})` : '';
}
