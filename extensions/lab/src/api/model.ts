/** Names for the shapes of Studio's REST answers; the shapes are generated from the server's OpenAPI (`npm run types`). */
import type { components } from './types';

type Schemas = components['schemas'];

export type Role = 'admin' | 'editor' | 'viewer';
export type Cell = string | number | boolean | null;

export type SessionAnswer = Schemas['SessionAnswer'];
/** The session of a lab: it always has a domain. */
export type Session = SessionAnswer & { domain: string };
export type Domain = Schemas['DomainAnswer'];
export type DomainSettings = Schemas['DomainSettingsAnswer'];
export type DomainSettingsChange = Partial<Schemas['DomainSettingsBody']>;
export type Isolation = Schemas['IsolationAnswer'];
export type Mechanism = Schemas['MechanismAnswer'];
export type Volume = Schemas['VolumeAnswer'];
export type Snapshot = Schemas['SnapshotAnswer'];
export type Restore = Schemas['RestoreAnswer'];
export type Space = Schemas['SpaceAnswer'];
export type NewSpace = Schemas['SpaceBody'];
export type Policy = Schemas['PolicyAnswer'];
export type PolicyRule = Schemas['RuleAnswer'];
export type NewRule = Pick<PolicyRule, 'effect' | 'action' | 'resource' | 'why'> & { readonly who: readonly string[]; readonly when: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
export type Verdict = Schemas['VerdictAnswer'];
export type AuditPage = Schemas['AuditPage'];
export type AuditRow = Schemas['AuditRow'];
export type Member = Schemas['MemberAnswer'];
export type AccessKey = Schemas['KeyAnswer'];
export type OpenSession = Schemas['OpenSession'];
export type NewAccessKey = Schemas['NewKeyAnswer'];
export type InstanceType = Schemas['InstanceTypeAnswer'];
export type WakeTimes = Schemas['WakeTimesAnswer'];
export type Environment = Schemas['EnvironmentInDomain'];
/** What an act on one answers: without what uses it. */
export type MadeEnvironment = Schemas['EnvironmentAnswer'];
export type NewEnvironment = Partial<Schemas['EnvironmentBody']> & Pick<Schemas['EnvironmentBody'], 'name'>;
export type EnvironmentChange = Partial<Schemas['ChangeBody']>;
export type EnvironmentVersion = Schemas['EnvironmentVersion'];
export type EnvironmentVersionDetail = Schemas['EnvironmentVersionDetail'];
export type EnvironmentUse = Schemas['UseAnswer'];
export type Pin = Schemas['PinAnswer'];
export type EnvironmentDetail = Schemas['EnvironmentDetail'];
export type Example = Schemas['ExampleAnswer'];
export type Overview = Schemas['OverviewAnswer'];
export type RunningItem = Schemas['RunningAnswer'];
export type Exits = Schemas['ExitsAnswer'];
export type Exit = Schemas['ExitAnswer'];
export type RecentItem = Schemas['RecentItem'];

export type DataSet = Schemas['DatasetAnswer'];
export type DataSetDetail = Schemas['DatasetDetail'];
export type ColumnProfile = Schemas['ProfileAnswer']['columns'][number];

export type Experiment = Schemas['ExperimentAnswer'];
export type Run = Schemas['RunAnswer'];
export type RunDetail = Schemas['RunDetailAnswer'];
export type RunModel = Schemas['RunModelAnswer'];
export type RunPage = Schemas['RunPageAnswer'];
export type RunQuery = Partial<Schemas['RunQuery']>;
export type RunSelection = Partial<Schemas['RunTableQuery']>;
export type RunWindow = Schemas['RunWindowAnswer'];
export type RunOrder = Schemas['RunOrderAnswer'];
export type ColumnOrder = Schemas['RunColumnOrder'];
export type RunKeys = Schemas['RunKeysAnswer'];
export type RunValue = Schemas['RunValueAnswer'];
export type RunGroups = Schemas['RunGroupsAnswer'];
export type RunGroup = Schemas['RunGroupAnswer'];
export type RunFigures = Schemas['RunFiguresAnswer'];
export type SavedView = Schemas['RunViewAnswer'];
export type Artifact = Schemas['ArtifactAnswer'];
export type RunChange = Partial<Schemas['RunChange']>;
export type RunCost = Schemas['RunCostAnswer'];
export type ModelCard = Schemas['ModelCardAnswer'];
export type MetricHistory = Schemas['SeriesAnswer'];
export type CurvesQuery = Partial<Schemas['CurvesQuery']> & Pick<Schemas['CurvesQuery'], 'run_ids' | 'keys'>;
export type CurveAnswer = Schemas['CurveAnswer'];
export type MatrixCell = keyof Schemas['MatrixAnswer'];
export type Evaluation = Omit<Schemas['EvaluationAnswer'], 'positive_label'> & { positive_label: Cell };

/** Rows of data with what names them; `code` is a notebook cell that opens exactly these. */
export interface RowSet {
  columns: string[];
  rows: Cell[][];
  row_ids: (string | number)[];
  code?: string;
}

/** A field of MLflow's signature: a named column, or a tensor. */
export interface SignatureField {
  name?: string;
  type?: unknown;
  required?: boolean;
}

export interface Signature {
  inputs: SignatureField[];
  outputs?: SignatureField[];
  params?: SignatureField[];
}

export type RegisteredModel = Schemas['ModelAnswer'];
export type RegisteredModelDetail = Schemas['ModelDetailAnswer'];
export type ModelVersion = RegisteredModelDetail['versions'][number];

export type Decision = Schemas['DecisionAnswer'];
export type RegistryChange = Partial<Schemas['RegistryChange']>;
export type ModelFile = Schemas['FileAnswer'];
export type Lineage = Schemas['LineageAnswer'];
export type LineageNode = Schemas['NodeAnswer'];

export type EndpointMode = Schemas['EndpointSummary']['mode'];
export type EndpointStats = Schemas['StatsAnswer'];
export type EndpointSummary = Schemas['EndpointSummary'];
export type Endpoint = Schemas['EndpointAnswer'];
export type NewEndpoint = Partial<Schemas['EndpointBody']> & Pick<Schemas['EndpointBody'], 'name' | 'model'>;
export type Variant = Schemas['VariantAnswer'];
export type NewVariant = Partial<Schemas['VariantBody']> & Pick<Schemas['VariantBody'], 'version' | 'weight'>;
export type Rollout = Schemas['RolloutAnswer'];
export type Strategy = Schemas['StrategyBody'];
export type EndpointSettings = Schemas['SettingsAnswer'];
export type EndpointLog = Schemas['EndpointLogAnswer'];
export type EndpointChange = Partial<Schemas['SettingsBody']>;
export type Prediction = Schemas['PredictionAnswer'];
export type CapturedRows = Schemas['CapturesAnswer'];

export type Job = Schemas['JobAnswer'];
export type LogPage = Schemas['LogAnswer'];

export type Monitor = Schemas['MonitorSummary'];
export type MonitorDetail = Schemas['MonitorAnswer'];
export type DriftCheck = Schemas['CheckAnswer'];
export type DriftColumn = DriftCheck['columns'][number];
export type Alert = Schemas['AlertAnswer'];

export type Cost = Schemas['BillAnswer'];
export type CostShare = Schemas['ShareAnswer'];
