import type { Artifact, CurveAnswer, CurvesQuery, Evaluation, Experiment, MatrixCell, MetricHistory, RowSet, RunDetail, RunPage, RunQuery } from '../../api/model';
import type { Requester } from '../../request';

/** Experiments and runs. */
export class ExperimentsClient {
  constructor(
    private readonly request: Requester,
    private readonly domain: string
  ) {}

  list(): Promise<Experiment[]> {
    return this.request.get(`domains/${this.domain}/experiments`);
  }

  search(query: RunQuery): Promise<RunPage> {
    return this.request.post(`domains/${this.domain}/runs/search`, query);
  }

  run(id: string): Promise<RunDetail> {
    return this.request.get(this.path(id));
  }

  metric(id: string, key: string, maxPoints = 400): Promise<MetricHistory> {
    return this.request.get(`${this.path(id)}/metrics/${encodeURIComponent(key)}`, { max_points: maxPoints });
  }

  /** Many runs and metrics at once, thinned to be drawn. */
  async curves(query: CurvesQuery): Promise<CurveAnswer[]> {
    const answer = await this.request.post<{ curves: CurveAnswer[] }>(`domains/${this.domain}/curves`, query);
    return answer.curves;
  }

  /** Files directly under `path` of the run's artifacts. */
  async artifacts(id: string, path = ''): Promise<Artifact[]> {
    const answer = await this.request.get<Artifact[] | { artifacts: Artifact[] }>(`${this.path(id)}/artifacts`, { path });
    return Array.isArray(answer) ? answer : answer.artifacts;
  }

  evaluation(id: string, threshold?: number): Promise<Evaluation> {
    return this.request.get(`${this.path(id)}/evaluation`, { threshold });
  }

  evaluationRows(id: string, cell: MatrixCell, threshold: number, limit = 200): Promise<RowSet> {
    return this.request.get(`${this.path(id)}/evaluation/rows`, { cell, threshold, limit });
  }

  private path(id: string): string {
    return `domains/${this.domain}/runs/${encodeURIComponent(id)}`;
  }
}
