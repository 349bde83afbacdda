import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';

import type { Exit } from '../../api/model';
import type { IChange } from '../../events';
import type { IStudio } from '../../tokens';

const PREFIX = 'kernel-';

/** Says why a kernel of this person ended that nobody had asked to: JupyterLab itself only says that it died. */
export class ExitToasts {
  constructor(private readonly studio: IStudio) {
    studio.events.changed.connect(this.onChanged, this);
    void this.read();
  }

  dispose(): void {
    this.studio.events.changed.disconnect(this.onChanged, this);
  }

  private onChanged(_: unknown, { topic, ids }: IChange): void {
    // Too many to be named: any of them may be a kernel.
    if (topic === '*' || (topic === 'running' && (!ids?.length || ids.some(id => id.startsWith(PREFIX))))) {
      void this.read();
    }
  }

  private async read(): Promise<void> {
    if (this._isReading) {
      this._isStale = true;
      return;
    }
    this._isReading = true;
    this._isStale = false;
    try {
      const isFirst = this._seq === null;
      const { seq, exits } = await this.studio.client.kernels.exits(this._seq ?? 0, isFirst ? 1 : 50);
      this._seq = seq;
      if (!isFirst) {
        exits.filter(exit => exit.kind === 'kernel' && exit.unexpected && exit.owner === this.studio.session?.user).forEach(exit => void this.show(exit));
      }
    } catch {
      // Studio is away; the next change of the stream, its return at the latest, reads again.
    } finally {
      this._isReading = false;
    }
    if (this._isStale) {
      void this.read();
    }
  }

  private async show(exit: Exit): Promise<void> {
    const { trans } = this.studio;
    const notebook = this.notebookOf(exit.name) || (await this.notebookOfNew(exit.name));
    const text = notebook ? trans.__('%1: %2', notebook, exit.message) : exit.message;
    const environments = { label: trans.__('Open environments'), callback: () => this.studio.open('environments'), displayType: 'accent' as const };
    // Variables are lost: it stays until somebody has seen it.
    Notification.error(text, { autoClose: false, actions: exit.reason === 'import error' ? [environments] : [] });
  }

  private notebookOf(name: string): string {
    for (const session of this.studio.app.serviceManager.sessions.running()) {
      if (session.kernel && name.startsWith(PREFIX + session.kernel.id)) {
        return PathExt.basename(session.path);
      }
    }
    return '';
  }

  /** JupyterLab looks at what runs every ten seconds only. */
  private async notebookOfNew(name: string): Promise<string> {
    await this.studio.app.serviceManager.sessions.refreshRunning().catch(() => undefined);
    return this.notebookOf(name);
  }

  private _seq: number | null = null;
  private _isReading = false;
  private _isStale = false;
}
