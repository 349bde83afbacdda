import type { Endpoint } from '../../api/model';
import { useResource } from '../../hooks';
import type { StudioError } from '../../request';

/** Versions of the model that an endpoint serves, the newest first, as options with their aliases. */
export function useVersions(endpoint: Endpoint): { model: string; options: [string, string][]; isRead: boolean; error: StudioError | undefined } {
  const model = modelOf(endpoint);
  const { data, error } = useResource(`model/${model}`, client => client.models.get(model), { topics: ['models'] });
  const versions = [...(data?.versions ?? [])].sort((a, b) => Number(b.version) - Number(a.version));
  const options = versions.map((v): [string, string] => [String(v.version), `v${v.version}${v.aliases.map(alias => ` @${alias}`).join('')}`]);
  return { model, options, isRead: data !== undefined, error };
}

/** The registered model's name, of `models:/name@alias` and `models:/name/3`. */
export function modelOf(endpoint: Pick<Endpoint, 'model'>): string {
  return endpoint.model.replace(/^models:\//, '').split(/[@/]/)[0] ?? endpoint.model;
}
