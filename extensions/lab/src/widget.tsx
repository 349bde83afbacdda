import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Component, ReactNode } from 'react';

import { ActiveContext, StudioContext } from './hooks';
import { StudioError } from './request';
import { TEST } from './testids';
import type { IStudio } from './tokens';
import { EmptyState, ErrorBox, Skeleton } from './ui';

/** A Studio view as a Lumino widget: drawn once the session is known, told whether it is looked at. */
export class StudioWidget extends ReactWidget {
  constructor(
    private readonly studio: IStudio,
    private readonly view: () => JSX.Element
  ) {
    super();
    this.addClass('jp-Studio');
    studio.sessionChanged.connect(this.onSession, this);
  }

  override dispose(): void {
    this.studio.sessionChanged.disconnect(this.onSession, this);
    super.dispose();
  }

  protected override render(): JSX.Element {
    const { studio } = this;
    return (
      <StudioContext.Provider value={studio}>
        <ActiveContext.Provider value={this._active}>
          {studio.session ? <Boundary>{this.view()}</Boundary> : studio.error ? <Away error={studio.error} studio={studio} /> : <Skeleton />}
        </ActiveContext.Provider>
      </StudioContext.Provider>
    );
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._active = true;
    this.update();
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._active = false;
    this.update();
  }

  private onSession(): void {
    this.update();
  }

  private _active = true;
}

/** What is shown in a Jupyter that has no Studio behind it, or while Studio is away. */
function Away({ error, studio }: { error: StudioError; studio: IStudio }): JSX.Element {
  const { trans } = studio;
  if (!error.isAbsent) {
    return (
      <div className="jp-Studio-away">
        <ErrorBox error={error} onRetry={() => void studio.connect()} />
      </div>
    );
  }
  return (
    <EmptyState
      icon="studio"
      testId={TEST.absent}
      title={trans.__('Studio is not behind this Jupyter server')}
      text={trans.__('The extension is installed, its server is not running here. Start Studio on the host and open the lab from the address it prints; notebooks and everything else here work as before.')}
      code="studio up"
    />
  );
}

/** A view that fails says so in its place and leaves the rest of the lab alone. */
class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    if (!this.state.error) {
      return this.props.children;
    }
    const error = new StudioError(0, 'VIEW', `${this.state.error.message}\n${this.state.error.stack ?? ''}`);
    return (
      <div className="jp-Studio-away">
        <ErrorBox error={error} onRetry={() => this.setState({ error: null })} />
      </div>
    );
  }
}
