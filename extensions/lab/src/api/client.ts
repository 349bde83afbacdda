import { CostClient } from '../features/cost/client';
import { DataClient } from '../features/data/client';
import { DomainClient } from '../features/domain/client';
import { PolicyClient } from '../features/domain/policyclient';
import { VolumeClient } from '../features/domain/volumeclient';
import { EndpointsClient } from '../features/endpoints/client';
import { EnvironmentsClient } from '../features/environments/client';
import { ExperimentsClient } from '../features/experiments/client';
import { RunTableClient } from '../features/experiments/tableclient';
import { HomeClient } from '../features/home/client';
import { JobsClient } from '../features/jobs/client';
import { KernelsClient } from '../features/kernels/client';
import { LineageClient } from '../features/lineage/client';
import { ModelsClient } from '../features/models/client';
import { MonitorsClient } from '../features/monitors/client';
import { RunClient } from '../features/run/client';
import type { Requester } from '../request';

/** Every feature's calls, bound to one domain. */
export class Client {
  constructor(request: Requester, domain: string) {
    const name = encodeURIComponent(domain);
    this.home = new HomeClient(request, name);
    this.data = new DataClient(request, name);
    this.experiments = new ExperimentsClient(request, name);
    this.run = new RunClient(request, name);
    this.lineage = new LineageClient(request, name);
    this.runs = new RunTableClient(request, name);
    this.jobs = new JobsClient(request, name);
    this.kernels = new KernelsClient(request, name);
    this.models = new ModelsClient(request, name);
    this.endpoints = new EndpointsClient(request, name);
    this.monitors = new MonitorsClient(request, name);
    this.environments = new EnvironmentsClient(request, name);
    this.domain = new DomainClient(request, name);
    this.policy = new PolicyClient(request, name);
    this.volume = new VolumeClient(request, name);
    this.cost = new CostClient(request, name);
  }

  readonly home: HomeClient;
  readonly data: DataClient;
  readonly experiments: ExperimentsClient;
  readonly run: RunClient;
  readonly lineage: LineageClient;
  readonly runs: RunTableClient;
  readonly jobs: JobsClient;
  readonly kernels: KernelsClient;
  readonly models: ModelsClient;
  readonly endpoints: EndpointsClient;
  readonly monitors: MonitorsClient;
  readonly environments: EnvironmentsClient;
  readonly domain: DomainClient;
  readonly policy: PolicyClient;
  readonly volume: VolumeClient;
  readonly cost: CostClient;
}
