import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { Run } from '../../../api/model';
import type { EventStream, IChange } from '../../../events';
import { StudioError } from '../../../request';
import { asStudioError } from '../../../resource';
import type { ExperimentsClient } from '../client';
import { isLive } from '../columns';
import { ICurve, curveOf, grown, lastStep } from './curve-data';

/** What is to be shown. */
export interface IWanted {
  runs: readonly Run[];
  keys: readonly string[];
  /** Thinned for a logarithmic x axis. */
  isLog: boolean;
}

interface IKept {
  curve: ICurve | null;
  /** Read while the run was training: read again whole once it has ended. */
  wasLive: boolean;
}

export const POINTS = 400;
const PAIRS = 48; // curves in one request, so that the first charts stand while others are on their way
const GROWN = 3 * POINTS; // a curve grown beyond is read again, thinned
const MOST = 4000; // curves that are remembered
const LIVE_MS = 400; // changes of runs are gathered for so long

/** Curves of runs: read once, remembered, and while runs train only what is new is read. */
export class CurveStore implements IDisposable {
  constructor(
    private readonly client: ExperimentsClient,
    private readonly events: EventStream
  ) {
    events.changed.connect(this.onChange, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get error(): StudioError | null {
    return this._error;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Another number whenever some curve is another. */
  get turn(): number {
    return this._turn;
  }

  /** The curve; null if the run has none, undefined while it is not known. */
  get(runId: string, key: string): ICurve | null | undefined {
    return this._kept.get(this.name(runId, key))?.curve;
  }

  /** Whether somebody looks; nothing is read while nobody does. */
  set isActive(active: boolean) {
    this._isActive = active;
    if (active) {
      this.readChanged();
    }
  }

  /** Says what is shown, and reads what of it is not known. */
  want(wanted: IWanted): void {
    this._wanted = wanted;
    const keys = wanted.keys.map(key => ({ key, runs: wanted.runs.filter(run => this.isMissing(run, key)) })).filter(({ runs }) => runs.length > 0);
    // Metrics of one chart together: charts are complete one after the other.
    for (let at = 0; at < keys.length; ) {
      const runs = [...new Set(keys[at]?.runs ?? [])];
      const count = Math.max(1, Math.floor(PAIRS / runs.length));
      const part = keys.slice(at, at + count).map(({ key }) => key);
      at += count;
      void this.read(runs, part);
    }
  }

  /** Reads again after a failure. */
  retry(): void {
    this._error = null;
    if (this._wanted) {
      this.want(this._wanted);
    }
    this.emit();
  }

  /** Every point of the steps asked for, of what is wanted: what a zoom shows. Not remembered. */
  async within(from: number, to: number): Promise<Map<string, ICurve>> {
    const found = new Map<string, ICurve>();
    const { runs, keys, isLog } = this._wanted ?? { runs: [], keys: [], isLog: false };
    const thinned = runs.filter(run => keys.some(key => this.get(run.run_id, key)?.isThinned));
    const size = Math.max(1, Math.floor(PAIRS / Math.max(1, keys.length)));
    for (let at = 0; at < thinned.length; at += size) {
      const run_ids = thinned.slice(at, at + size).map(run => run.run_id);
      const answers = await this.client.curves({ run_ids, keys: [...keys], max_points: POINTS, from_step: from, to_step: to, is_log: isLog });
      answers.forEach(answer => found.set(`${answer.run_id}/${answer.key}`, curveOf(answer)));
    }
    return found;
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      window.clearTimeout(this._timer);
      this.events.changed.disconnect(this.onChange, this);
      Signal.clearData(this);
    }
  }

  private name(runId: string, key: string): string {
    return `${this._wanted?.isLog ? 'log' : 'linear'}/${runId}/${key}`;
  }

  private isMissing(run: Run, key: string): boolean {
    const name = this.name(run.run_id, key);
    const kept = this._kept.get(name);
    return !!run.metrics[key] && !this._reading.has(name) && (!kept || kept.curve === null || (kept.wasLive && !isLive(run)));
  }

  private async read(runs: readonly Run[], keys: readonly string[]): Promise<void> {
    const names = runs.flatMap(run => keys.map(key => this.name(run.run_id, key)));
    names.forEach(name => this._reading.add(name));
    const isLog = this._wanted?.isLog ?? false;
    try {
      const answers = await this.client.curves({ run_ids: runs.map(run => run.run_id), keys: [...keys], max_points: POINTS, is_log: isLog });
      const found = new Map(answers.map(answer => [`${isLog ? 'log' : 'linear'}/${answer.run_id}/${answer.key}`, curveOf(answer)]));
      runs.forEach(run => keys.forEach(key => this.keep(`${isLog ? 'log' : 'linear'}/${run.run_id}/${key}`, found, isLive(run))));
      this._error = null;
    } catch (error) {
      this._error = asStudioError(error);
    }
    names.forEach(name => this._reading.delete(name));
    this.emit();
  }

  private keep(name: string, found: ReadonlyMap<string, ICurve>, wasLive: boolean): void {
    this._kept.delete(name);
    this._kept.set(name, { curve: found.get(name) ?? null, wasLive });
    for (const oldest of this._kept.keys()) {
      if (this._kept.size <= MOST) {
        break;
      }
      this._kept.delete(oldest);
    }
  }

  private onChange(_: EventStream, change: IChange): void {
    if (change.topic !== 'runs' && change.topic !== '*') {
      return;
    }
    const ids = change.ids?.length ? new Set(change.ids) : null;
    for (const run of this._wanted?.runs ?? []) {
      if (ids ? ids.has(run.run_id) : isLive(run)) {
        this._stale.add(run.run_id);
      }
    }
    if (this._stale.size && this._isActive && !document.hidden) {
      this._timer ||= window.setTimeout(() => this.readChanged(), LIVE_MS);
    }
  }

  private readChanged(): void {
    window.clearTimeout(this._timer);
    this._timer = 0;
    const stale = (this._wanted?.runs ?? []).filter(run => this._stale.has(run.run_id));
    this._stale.clear();
    if (stale.length && !this._isDisposed) {
      void this.readNew(stale);
    }
  }

  /** Asks for what these runs logged from their last known steps on. */
  private async readNew(runs: readonly Run[]): Promise<void> {
    const keys = this._wanted?.keys ?? [];
    const since: Record<string, number> = {};
    for (const run of runs) {
      const steps = keys.map(key => this.get(run.run_id, key)).filter(curve => !!curve).map(lastStep);
      if (steps.length) {
        since[run.run_id] = Math.min(...steps);
      }
    }
    const run_ids = Object.keys(since);
    if (!run_ids.length) {
      return;
    }
    try {
      const answers = await this.client.curves({ run_ids, keys: [...keys], max_points: POINTS, since, is_log: this._wanted?.isLog });
      answers.map(curveOf).forEach(curve => this.grow(curve, since[curve.runId] ?? 0));
    } catch {
      // Away for a moment: the next change asks from the same steps.
      run_ids.forEach(id => this._stale.add(id));
      return;
    }
    this.emit();
  }

  private grow(fresh: ICurve, since: number): void {
    const name = this.name(fresh.runId, fresh.key);
    const kept = this._kept.get(name);
    const curve = kept?.curve ? grown(kept.curve, fresh, since) : fresh;
    this._kept.set(name, { curve, wasLive: true });
    const run = this._wanted?.runs.find(item => item.run_id === fresh.runId);
    if (curve.points.length > GROWN && run) {
      void this.read([run], [fresh.key]);
    }
  }

  private emit(): void {
    if (!this._isDisposed) {
      this._turn += 1;
      this._changed.emit();
    }
  }

  private _wanted: IWanted | null = null;
  private _kept = new Map<string, IKept>();
  private _reading = new Set<string>();
  private _stale = new Set<string>();
  private _error: StudioError | null = null;
  private _changed = new Signal<this, void>(this);
  private _turn = 0;
  private _timer = 0;
  private _isActive = true;
  private _isDisposed = false;
}
