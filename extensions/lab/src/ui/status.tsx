import type { TranslationBundle } from '@jupyterlab/translation';

import { useStudio } from '../hooks';
import { Icon, IconName } from '../icons';

type Tone = 'good' | 'starting' | 'warning' | 'bad' | 'idle';

interface ILook {
  tone: Tone;
  icon: IconName;
  word: string;
}

/** One hue, icon and word for each state, the same everywhere in Studio. */
function look(state: string, trans: TranslationBundle): ILook {
  const looks: Record<string, ILook> = {
    InService: { tone: 'good', icon: 'check', word: trans.__('InService') },
    Idle: { tone: 'idle', icon: 'moon', word: trans.__('Idle, wakes on request') },
    Creating: { tone: 'starting', icon: 'clock', word: trans.__('Creating') },
    Updating: { tone: 'starting', icon: 'clock', word: trans.__('Updating') },
    Deleting: { tone: 'starting', icon: 'clock', word: trans.__('Deleting') },
    Failed: { tone: 'bad', icon: 'error', word: trans.__('Failed') },
    FAILED: { tone: 'bad', icon: 'error', word: trans.__('Failed') },
    Queued: { tone: 'idle', icon: 'clock', word: trans.__('Queued') },
    Starting: { tone: 'starting', icon: 'clock', word: trans.__('Starting') },
    Running: { tone: 'good', icon: 'play', word: trans.__('Running') },
    RUNNING: { tone: 'starting', icon: 'play', word: trans.__('Running') },
    SCHEDULED: { tone: 'idle', icon: 'clock', word: trans.__('Scheduled') },
    FINISHED: { tone: 'good', icon: 'check', word: trans.__('Finished') },
    KILLED: { tone: 'idle', icon: 'stop', word: trans.__('Stopped') },
    Completed: { tone: 'good', icon: 'check', word: trans.__('Completed') },
    Stopped: { tone: 'idle', icon: 'stop', word: trans.__('Stopped') },
    Ready: { tone: 'good', icon: 'check', word: trans.__('Ready') },
    READY: { tone: 'good', icon: 'check', word: trans.__('Ready') },
    Profiling: { tone: 'starting', icon: 'clock', word: trans.__('Profiling') },
    Building: { tone: 'starting', icon: 'clock', word: trans.__('Building') },
    NotBuilt: { tone: 'idle', icon: 'moon', word: trans.__('Not built') },
    Isolated: { tone: 'good', icon: 'shield', word: trans.__('Isolated') },
    NotIsolated: { tone: 'warning', icon: 'warning', word: trans.__('Not isolated') },
    Enforced: { tone: 'good', icon: 'check', word: trans.__('Enforced') },
    NotEnforced: { tone: 'warning', icon: 'warning', word: trans.__('Not enforced') },
    NoneYet: { tone: 'idle', icon: 'moon', word: trans.__('None yet') },
    Serving: { tone: 'good', icon: 'check', word: trans.__('Serving') },
    Shadowing: { tone: 'good', icon: 'check', word: trans.__('Shadowing') },
    Parked: { tone: 'idle', icon: 'moon', word: trans.__('At zero') },
    Stopping: { tone: 'starting', icon: 'clock', word: trans.__('Stopping') },
    Retiring: { tone: 'starting', icon: 'clock', word: trans.__('Draining') },
    Waiting: { tone: 'starting', icon: 'clock', word: trans.__('Waiting') },
    Roomy: { tone: 'good', icon: 'check', word: trans.__('Room left') },
    Full: { tone: 'bad', icon: 'error', word: trans.__('Full') },
    Done: { tone: 'good', icon: 'check', word: trans.__('Done') },
    Denied: { tone: 'bad', icon: 'lock', word: trans.__('Denied') },
    Quiet: { tone: 'good', icon: 'check', word: trans.__('Quiet') },
    Drift: { tone: 'warning', icon: 'warning', word: trans.__('Drift') },
    NoData: { tone: 'idle', icon: 'moon', word: trans.__('No data yet') },
    NoBaseline: { tone: 'idle', icon: 'moon', word: trans.__('No baseline') },
    Pending: { tone: 'warning', icon: 'clock', word: trans.__('Pending') },
    Approved: { tone: 'good', icon: 'check', word: trans.__('Approved') },
    Rejected: { tone: 'bad', icon: 'error', word: trans.__('Rejected') },
    Open: { tone: 'warning', icon: 'warning', word: trans.__('Open') },
    Resolved: { tone: 'good', icon: 'check', word: trans.__('Resolved') }
  };
  return looks[state] ?? { tone: 'idle', icon: 'moon', word: state };
}

interface IStatusPillProps {
  state: string;
  /** Icon only; the word stays for screen readers and as a tooltip. */
  compact?: boolean;
  testId?: string;
  title?: string;
}

export function StatusPill({ state, compact, testId, title }: IStatusPillProps): JSX.Element {
  const { tone, icon, word } = look(state, useStudio().trans);
  return (
    <span
      className={`jp-Studio-status jp-mod-${tone}${compact ? ' jp-mod-compact' : ''}`}
      title={title ?? word}
      role={compact ? 'img' : undefined}
      aria-label={compact ? word : undefined}
      data-testid={testId}
      data-state={state}
    >
      <Icon name={icon} size={12} />
      {!compact && <span>{word}</span>}
    </span>
  );
}
