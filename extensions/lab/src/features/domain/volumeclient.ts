import type { NewSpace, Restore, Snapshot, Space, Volume } from '../../api/model';
import type { Requester } from '../../request';

/** What a domain stores: its volume, snapshots of it, and the spaces in it. */
export class VolumeClient {
  constructor(
    private readonly request: Requester,
    domain: string
  ) {
    this.base = `domains/${domain}`;
  }

  get(): Promise<Volume> {
    return this.request.get(`${this.base}/volume`);
  }

  measure(): Promise<Volume> {
    return this.request.post(`${this.base}/volume/measure`);
  }

  snapshots(): Promise<Snapshot[]> {
    return this.request.get(`${this.base}/snapshots`);
  }

  createSnapshot(target: Snapshot['target'], title: string): Promise<Snapshot> {
    return this.request.post(`${this.base}/snapshots`, { target, title });
  }

  deleteSnapshot(id: string): Promise<void> {
    return this.request.delete(`${this.base}/snapshots/${encodeURIComponent(id)}`);
  }

  /** As a new folder, or in place of what is there. */
  restore(id: string, where: { in_place: boolean; folder?: string }): Promise<Restore> {
    return this.request.post(`${this.base}/snapshots/${encodeURIComponent(id)}/restore`, where);
  }

  restores(): Promise<Restore[]> {
    return this.request.get(`${this.base}/restores`);
  }

  spaces(trash: boolean): Promise<Space[]> {
    return this.request.get(`${this.base}/spaces`, { trash });
  }

  createSpace(space: NewSpace): Promise<Space> {
    return this.request.post(`${this.base}/spaces`, space);
  }

  openSpace(id: string): Promise<Space> {
    return this.request.post(`${this.base}/spaces/${encodeURIComponent(id)}/open`);
  }

  /** Into the trash. */
  deleteSpace(id: string): Promise<void> {
    return this.request.delete(`${this.base}/spaces/${encodeURIComponent(id)}`);
  }

  restoreSpace(id: string): Promise<Space> {
    return this.request.post(`${this.base}/spaces/${encodeURIComponent(id)}/restore`);
  }

  /** Removes the files of one in the trash, for good. */
  emptySpace(id: string): Promise<void> {
    return this.request.post(`${this.base}/spaces/${encodeURIComponent(id)}/empty`);
  }

  private readonly base: string;
}
