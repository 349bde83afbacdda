import type { ColumnOrder, Experiment, Run, RunGroups, RunKeys, RunOrder, RunSelection, RunValue, RunWindow, SavedView } from '../../api/model';
import type { Requester } from '../../request';

const AT_ONCE = 1000;

/** The table of runs: windows of an order, groups, keys, changes of many, saved views. */
export class RunTableClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  /** The first rows and how many there are; without columns all data of them. */
  window(selection: RunSelection, order: ColumnOrder[], columns: string[] | null, first: number): Promise<RunWindow> {
    return this.request.post(this.path('window'), { ...selection, order, columns, first });
  }

  /** The numbers of all runs in order; none if they are those with the hash `known`. */
  order(selection: RunSelection, order: ColumnOrder[], known: string): Promise<RunOrder> {
    return this.request.post(this.path('order'), { ...selection, order, known });
  }

  rows(wanted: { numbers?: number[]; run_ids?: string[]; columns: string[] | null }): Promise<Run[]> {
    return this.request.post(this.path('rows'), wanted);
  }

  keys(selection: RunSelection): Promise<RunKeys> {
    return this.request.post(this.path('keys'), selection);
  }

  values(selection: RunSelection, column: string, begins: string): Promise<RunValue[]> {
    return this.request.post(this.path('values'), { ...selection, column, begins });
  }

  varying(selection: RunSelection, columns: string[]): Promise<string[]> {
    return this.request.post(this.path('varying'), { ...selection, columns });
  }

  groups(selection: RunSelection, by: string, columns: string[]): Promise<RunGroups> {
    return this.request.post(this.path('groups'), { ...selection, by, columns });
  }

  rename(id: string, name: string): Promise<Run> {
    return this.request.patch(this.path(encodeURIComponent(id)), { name });
  }

  /** Deletes, restores or tags runs; a thousand at a time, all of them or none. */
  async change(ids: readonly string[], change: { deleted?: boolean; tags?: Record<string, string | null> }): Promise<void> {
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      await this.request.post(this.path('change'), { run_ids: ids.slice(at, at + AT_ONCE), ...change });
    }
  }

  views(): Promise<SavedView[]> {
    return this.request.get(`domains/${this.domain}/run-views`);
  }

  saveView(name: string, state: object, isDefault: boolean): Promise<SavedView> {
    return this.request.put(`domains/${this.domain}/run-views`, { name, state, is_default: isDefault });
  }

  deleteView(name: string): Promise<void> {
    return this.request.delete(`domains/${this.domain}/run-views?${new URLSearchParams({ name }).toString()}`);
  }

  create(name: string): Promise<Experiment> {
    return this.request.post(`domains/${this.domain}/experiments`, { name });
  }

  changeExperiment(id: string, change: { name?: string; deleted?: boolean }): Promise<Experiment> {
    return this.request.patch(`domains/${this.domain}/experiments/${encodeURIComponent(id)}`, change);
  }

  /** Address of the CSV of a selection. */
  exportUrl(selection: RunSelection, order: ColumnOrder[], columns: string[]): string {
    const query = new URLSearchParams();
    for (const id of selection.experiment_ids ?? []) {
      query.append('experiment_ids', id);
    }
    query.set('filter', selection.filter ?? '');
    query.set('view', selection.view ?? 'ACTIVE_ONLY');
    query.set('archived', String(selection.archived ?? false));
    for (const { column, descending } of order) {
      query.append('order', column + (descending ? ' DESC' : ''));
    }
    for (const column of columns) {
      query.append('columns', column);
    }
    return `${this.request.base}${this.path('export')}?${query.toString()}`;
  }

  private path(name: string): string {
    return `domains/${this.domain}/runs/${name}`;
  }
}
