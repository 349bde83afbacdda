import { Notification } from '@jupyterlab/apputils';

import type { Alert } from '../../api/model';
import { Resource } from '../../resource';
import type { IStudio } from '../../tokens';

const RECENT_MS = 10 * 60 * 1000;

/** Shows each newly opened alert once, with the way to its monitor, and takes the toast away when it is resolved. */
export class AlertToasts {
  constructor(private readonly studio: IStudio) {
    this._alerts = new Resource(() => studio.client.monitors.alerts(), studio.events, { topics: ['alerts'] });
    this._alerts.changed.connect(this.onChanged, this);
    void this._alerts.refresh();
  }

  dispose(): void {
    this._alerts.changed.disconnect(this.onChanged, this);
    this._alerts.dispose();
  }

  private onChanged(): void {
    for (const alert of this._alerts.snapshot.data ?? []) {
      const toast = this._toasts.get(alert.id);
      if (alert.state === 'Open' && toast === undefined) {
        const isNew = this._isWarm || Date.now() - alert.opened_ms < RECENT_MS;
        this._toasts.set(alert.id, isNew ? this.show(alert) : '');
      } else if (alert.state === 'Resolved' && toast) {
        Notification.dismiss(toast);
        this._toasts.set(alert.id, '');
        Notification.info(this.studio.trans.__('%1 is quiet again.', alert.endpoint), { autoClose: 5000 });
      }
    }
    this._isWarm = true;
  }

  private show(alert: Alert): string {
    const { trans } = this.studio;
    const text = alert.message || trans.__('Drift on %1: %2', alert.endpoint, alert.columns.join(', '));
    return Notification.warning(text, {
      autoClose: 20000,
      actions: [{ label: trans.__('Show why'), callback: () => this.studio.open('monitors', alert.endpoint), displayType: 'accent' }]
    });
  }

  private _alerts: Resource<Alert[]>;
  private _toasts = new Map<string, string>();
  private _isWarm = false;
}
