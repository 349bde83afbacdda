import { Notification } from '@jupyterlab/apputils';

import type { Experiment, Run } from '../../api/model';
import { formatCount } from '../../format';
import { asStudioError } from '../../resource';
import type { IStudio } from '../../tokens';
import { ARCHIVED_TAG } from './columns';

const UNDO_MS = 10_000;

/** Does something that can be undone: says what was done and offers to undo it; says why if it could not be done. */
export async function undoable(studio: IStudio, done: string, act: () => Promise<unknown>, undo: () => Promise<unknown>): Promise<boolean> {
  const { trans } = studio;
  if (!(await attempt(act))) {
    return false;
  }
  Notification.info(done, {
    autoClose: UNDO_MS,
    actions: [{ label: trans.__('Undo'), caption: trans.__('Undo: %1', done), displayType: 'accent', callback: () => void attempt(undo) }]
  });
  return true;
}

/** Whether `act` went well; a failure is said with what to do next. */
export async function attempt(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (caught) {
    const error = asStudioError(caught);
    Notification.error([error.message, error.hint].filter(Boolean).join(' '), { autoClose: false });
    return false;
  }
}

function named(studio: IStudio, runs: readonly Pick<Run, 'name'>[]): string {
  return runs.length === 1 ? (runs[0]?.name ?? '') : studio.trans._n('%2 run', '%2 runs', runs.length, formatCount(runs.length));
}

export function deleteRuns(studio: IStudio, runs: readonly Run[]): Promise<boolean> {
  const ids = runs.map(run => run.run_id);
  const change = (deleted: boolean): Promise<void> => studio.client.runs.change(ids, { deleted });
  return undoable(studio, studio.trans.__('Deleted %1. Its files stay until it is purged.', named(studio, runs)), () => change(true), () => change(false));
}

export function restoreRuns(studio: IStudio, runs: readonly Run[]): Promise<boolean> {
  const ids = runs.map(run => run.run_id);
  const change = (deleted: boolean): Promise<void> => studio.client.runs.change(ids, { deleted });
  return undoable(studio, studio.trans.__('Restored %1.', named(studio, runs)), () => change(false), () => change(true));
}

/** Archived runs are out of sight unless asked for; they carry a tag that the mlflow client can read and set. */
export function archiveRuns(studio: IStudio, runs: readonly Run[], archives: boolean): Promise<boolean> {
  const ids = runs.map(run => run.run_id);
  const change = (archived: boolean): Promise<void> => studio.client.runs.change(ids, { tags: { [ARCHIVED_TAG]: archived ? 'true' : null } });
  const { trans } = studio;
  const done = archives ? trans.__('Archived %1.', named(studio, runs)) : trans.__('%1 is no longer archived.', named(studio, runs));
  return undoable(studio, done, () => change(archives), () => change(!archives));
}

export function renameRun(studio: IStudio, run: Run, name: string): Promise<boolean> {
  const { trans, client } = studio;
  return undoable(studio, trans.__('%1 is now called %2.', run.name, name), () => client.runs.rename(run.run_id, name), () => client.runs.rename(run.run_id, run.name));
}

/** Sets a tag of runs, or deletes it by null; undoing gives each the value it had. */
export function tagRuns(studio: IStudio, runs: readonly Run[], key: string, value: string | null, done: string): Promise<boolean> {
  const ids = runs.map(run => run.run_id);
  const undo = async (): Promise<void> => {
    const before = new Map<string | null, string[]>();
    for (const run of runs) {
      const old = run.tags[key] ?? null;
      before.set(old, [...(before.get(old) ?? []), run.run_id]);
    }
    for (const [old, those] of before) {
      await studio.client.runs.change(those, { tags: { [key]: old } });
    }
  };
  return undoable(studio, done, () => studio.client.runs.change(ids, { tags: { [key]: value } }), undo);
}

export function deleteExperiment(studio: IStudio, experiment: Experiment): Promise<boolean> {
  const { trans, client } = studio;
  const change = (deleted: boolean): Promise<unknown> => client.runs.changeExperiment(experiment.experiment_id, { deleted });
  const done = trans.__('Deleted the experiment %1 with %2 runs.', experiment.name, formatCount(experiment.runs));
  return undoable(studio, done, () => change(true), () => change(false));
}

export function renameExperiment(studio: IStudio, experiment: Experiment, name: string): Promise<boolean> {
  const { trans, client } = studio;
  const rename = (to: string): Promise<unknown> => client.runs.changeExperiment(experiment.experiment_id, { name: to });
  return undoable(studio, trans.__('%1 is now called %2.', experiment.name, name), () => rename(name), () => rename(experiment.name));
}
