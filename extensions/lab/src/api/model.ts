/** Shapes of Studio's REST answers (times are epoch milliseconds, names snake_case as on the wire). */

export type Role = 'admin' | 'editor' | 'viewer';

export interface Session {
  user: string;
  role: Role;
  domain: string;
  csrf: string;
  domains: { name: string; role: Role; address: string }[];
  isolation: { level: string; network: string; detail: string };
  version: string;
  address: string;
}

export interface InstanceType {
  name: string;
  cpu: number;
  memory_mb: number;
  gpu: number;
  price_per_hour: number;
}

export interface Member {
  user: string;
  role: Role;
}

export interface Domain {
  name: string;
  title: string;
  created_ms: number;
  role: Role;
  network_mode: string;
  isolation: string | { level: string; network?: string; detail?: string };
  members: Member[];
  shared_path: string;
  instance_types: InstanceType[];
}

export interface AccessKey {
  id: string;
  user: string;
  name?: string | null;
  created_ms?: number;
  expires_ms?: number | null;
  last_used_ms?: number | null;
}

export interface NewAccessKey extends AccessKey {
  secret: string;
  token: string;
  env: Record<string, string>;
  curl: string;
}

export type EnvironmentState = 'NotBuilt' | 'Queued' | 'Building' | 'Ready' | 'Failed';

export interface Environment {
  name: string;
  state: EnvironmentState;
  hash: string | null;
  python: string;
  packages: (string | { name: string; version: string })[];
  progress: { done: number; total: number; text: string } | null;
  error: string | null;
  preload: string[];
  log?: string;
}

export interface RunningItem {
  id: string;
  kind: string;
  name: string;
  owner: string;
  since_ms: number;
  memory_bytes: number | null;
  cpu_percent: number | null;
  idle_s: number | null;
  price_per_hour: number;
  cost: number;
  stoppable: boolean;
}

export interface RecentItem {
  kind: string;
  title: string;
  detail: string;
  at_ms: number;
  link: string | null;
}

export interface Overview {
  datasets: number;
  kernels: number;
  runs: number;
  models: number;
  endpoints: number;
  alerts: number;
  running: RunningItem[];
  recent: RecentItem[];
  cost_today: number;
  currency: string;
  cores: number;
  memory_gb: number;
}

export interface DataSet {
  name: string;
  path: string;
  version: number | string;
  hash: string;
  rows: number | null;
  columns: number | null;
  bytes: number;
  state: 'Profiling' | 'Ready' | 'Failed';
  error: string | null;
  created_ms: number;
}

export type Cell = string | number | boolean | null;

export interface Histogram {
  edges: number[];
  counts: number[];
}

export interface ColumnProfile {
  name: string;
  dtype: string;
  missing: number;
  distinct: number | null;
  min: Cell;
  max: Cell;
  mean: number | null;
  histogram: Histogram | null;
  top: [Cell, number][] | null;
}

export interface DataSetDetail extends Omit<DataSet, 'columns'> {
  columns: number | null;
  profile: { row_count: number; columns: ColumnProfile[]; head: { columns: string[]; rows: Cell[][] } } | null;
  versions: { version: number | string; hash: string; rows: number | null; bytes?: number; created_ms: number }[];
}

export interface Experiment {
  experiment_id: string;
  name: string;
  runs: number;
  created_ms: number;
  last_update_ms: number;
}

export interface MetricSummary {
  last: number | null;
  min: number | null;
  max: number | null;
  step: number;
}

export interface Run {
  run_id: string;
  name: string;
  experiment_id: string;
  status: string;
  user: string;
  start_ms: number;
  end_ms: number | null;
  metrics: Record<string, MetricSummary>;
  params: Record<string, string>;
  tags: Record<string, string>;
  job_id: string | null;
}

export interface Artifact {
  path: string;
  is_dir: boolean;
  file_size: number | null;
}

export interface RunModel {
  name: string | null;
  version: number | string | null;
  artifact_path?: string | null;
}

export interface RunDetail extends Run {
  artifacts: (Artifact | string)[];
  models: RunModel[];
  datasets: { name: string; digest?: string; context?: string }[];
}

export interface RunPage {
  runs: Run[];
  next_page_token: string | null;
  total: number;
}

export interface RunQuery {
  experiment_ids?: string[];
  filter?: string;
  order_by?: string[];
  max_results?: number;
  page_token?: string;
}

export interface MetricHistory {
  key: string;
  points: [number, number, number | null][];
}

export type MatrixCell = 'tp' | 'fp' | 'fn' | 'tn';

export interface Evaluation {
  positive_label: string;
  threshold: number;
  n: number;
  matrix: Record<MatrixCell, number>;
  accuracy: number | null;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  auc: number | null;
  curve: [number, number, number, number, number][];
}

export interface RowSet {
  columns: string[];
  rows: Cell[][];
  row_ids: (string | number)[];
  code?: string;
}

export interface SignatureField {
  name?: string;
  type: string | Record<string, unknown>;
  required?: boolean;
}

export interface Signature {
  inputs: SignatureField[] | string | null;
  outputs?: SignatureField[] | string | null;
}

export interface RegisteredModel {
  name: string;
  latest_version: number | string | null;
  versions: number;
  aliases: Record<string, number | string>;
  updated_ms: number;
}

export interface ModelVersion {
  version: number | string;
  run_id: string | null;
  status: string;
  aliases: string[];
  created_ms: number;
  metrics: Record<string, number | MetricSummary | null>;
  signature: Signature | null;
  source: string;
  description: string;
}

export interface RegisteredModelDetail extends Omit<RegisteredModel, 'versions'> {
  versions: ModelVersion[];
}

export type EndpointState = 'Creating' | 'InService' | 'Idle' | 'Updating' | 'Failed' | 'Deleting';
export type EndpointMode = 'always' | 'serverless';

export interface EndpointStats {
  requests: number;
  errors: number;
  inflight: number;
  p50_ms: number | null;
  p99_ms: number | null;
  last_ms: number | null;
  captured: number;
  dropped: number;
}

export interface Variant {
  name: string;
  version: number | string;
  weight: number;
  replicas: { id: string; state: string; pid: number | null }[];
}

export interface Endpoint {
  name: string;
  state: EndpointState;
  reason: string | null;
  url: string;
  mode: EndpointMode;
  instance_type: string;
  model: string;
  version: number | string | null;
  previous_version: number | string | null;
  variants: Variant[];
  signature: Signature | null;
  example: unknown;
  events: { at_ms: number; text: string; detail: string | null }[];
  stats: EndpointStats | null;
  price_per_hour: number;
  created_ms: number;
  snippets: { curl: string; python: string; javascript: string };
}

export interface NewEndpoint {
  name: string;
  model: string;
  mode: EndpointMode;
  instance_type?: string;
  capture?: boolean;
}

export interface CapturedRows {
  columns: string[];
  rows: {
    id: string;
    at_ms: number;
    variant: string;
    version: number | string;
    latency_ms: number | null;
    status: number;
    inputs: Record<string, Cell>;
    output: unknown;
  }[];
}

export interface Job {
  id: string;
  name: string;
  state: 'Queued' | 'Starting' | 'Running' | 'Completed' | 'Failed' | 'Stopped';
  reason: string | null;
  environment: string;
  script_name?: string;
  params: Record<string, Cell>;
  created_ms: number;
  started_ms: number | null;
  ended_ms: number | null;
  exit_code: number | null;
  run_ids: string[];
  owner: string;
  cost: number;
}

export interface LogPage {
  text: string;
  next_offset: number;
  done: boolean;
}

export interface Monitor {
  endpoint: string;
  state: 'Quiet' | 'Drift' | 'NoData' | 'NoBaseline';
  columns: string[];
  window: { from_ms: number; to_ms: number; rows: number } | null;
  checked_ms: number | null;
  alert_id: string | null;
}

export interface DriftColumn {
  name: string;
  kind: string;
  psi: number | null;
  drifted: boolean;
  missing_reference: number;
  missing_current: number;
  reference: number[];
  current: number[];
  edges?: (number | null)[] | null;
  categories?: string[] | null;
}

export interface DriftCheck {
  id: string;
  at_ms: number;
  rows: number;
  columns: DriftColumn[];
}

export interface MonitorDetail extends Monitor {
  threshold: number;
  baseline: { source: string; rows: number } | null;
  checks: DriftCheck[];
}

export interface Alert {
  id: string;
  endpoint: string;
  state: 'Open' | 'Resolved';
  columns: string[];
  message: string;
  opened_ms: number;
  resolved_ms: number | null;
  check_id: string;
}

export interface CostLine {
  cost: number;
  hours?: number;
  [name: string]: string | number | null | undefined;
}

export interface Cost {
  currency: string;
  today: number;
  month: number;
  by_kind: CostLine[] | Record<string, number>;
  by_user: CostLine[] | Record<string, number>;
  by_resource: CostLine[] | Record<string, number>;
  daily: (CostLine | [string | number, number])[];
}
