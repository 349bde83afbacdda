export type TagGroup = 'own' | 'source' | 'git' | 'system';

export const NOTE = 'mlflow.note.content';

const SOURCE = new Set(['mlflow.source.name', 'mlflow.source.type', 'mlflow.project.entryPoint', 'mlflow.parentRunId', 'mlflow.user', 'studio.job_id', 'studio.job_name', 'mlflow.autologging', 'mlflow.runColor']);
const HIDDEN = new Set([NOTE, 'mlflow.runName', 'mlflow.log-model.history', 'mlflow.loggedArtifacts', 'studio.archived', 'studio.environment', 'studio.environment_hash']);

/** Tags by what they are about; those that are data of a client's own, or shown elsewhere, are left out. */
export function groupTags(tags: Readonly<Record<string, string>>): Record<TagGroup, [string, string][]> {
  const groups: Record<TagGroup, [string, string][]> = { own: [], source: [], git: [], system: [] };
  for (const [key, value] of Object.entries(tags).sort(([a], [b]) => a.localeCompare(b))) {
    if (!HIDDEN.has(key)) {
      groups[groupOf(key)].push([key, value]);
    }
  }
  return groups;
}

function groupOf(key: string): TagGroup {
  if (key.startsWith('mlflow.source.git') || key.startsWith('mlflow.git')) {
    return 'git';
  }
  if (SOURCE.has(key)) {
    return 'source';
  }
  return /^(mlflow|studio|system)\./.test(key) ? 'system' : 'own';
}

/** A tag's key as a label: without the prefix that all of a group have. */
export function shortKey(key: string): string {
  return key.replace(/^mlflow\.source\.git\.?|^mlflow\.source\.|^mlflow\.|^studio\./, '') || key;
}
