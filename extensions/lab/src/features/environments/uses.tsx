import type { EnvironmentDetail, EnvironmentUse } from '../../api/model';
import { useStudio } from '../../hooks';
import type { PanelName } from '../../tokens';
import { DataTable, EmptyState, IColumn, Id, Link, Tag } from '../../ui';

const PANEL: Record<string, PanelName> = { kernel: 'cost', job: 'jobs', endpoint: 'endpoint' };

/** What of this domain uses it now, and from which build. */
export function Uses({ env }: { env: EnvironmentDetail }): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const kinds: Record<string, string> = { kernel: trans.__('Kernel'), job: trans.__('Job'), endpoint: trans.__('Endpoint'), default: trans.__('Default') };
  const name = (use: EnvironmentUse): JSX.Element | string => {
    const panel = PANEL[use.kind];
    if (use.kind === 'default') {
      return trans.__('New notebooks, jobs and endpoints of %1', use.name);
    }
    return panel ? <Link onClick={() => studio.open(panel, use.kind === 'endpoint' ? use.name : '')}>{use.kind === 'kernel' ? use.name.slice(0, 15) : use.name}</Link> : use.name;
  };
  const columns: IColumn<EnvironmentUse>[] = [
    { key: 'kind', label: trans.__('Kind'), width: 136, grow: 0, cell: use => kinds[use.kind] ?? use.kind },
    { key: 'name', label: trans.__('Name'), width: 160, grow: 2, cell: name },
    { key: 'owner', label: trans.__('Whose'), width: 96, cell: use => use.owner },
    {
      key: 'hash',
      label: trans.__('Runs from'),
      width: 176,
      cell: use => (
        <span className="jp-Studio-inline">
          {use.hash && <Id id={use.hash} />}
          {use.hash && use.hash !== env.hash && (
            <Tag tone="warning" title={trans.__('It was started before; started again it has the newer version')}>
              {trans.__('older build')}
            </Tag>
          )}
        </span>
      )
    }
  ];
  if (env.uses.length === 0) {
    return (
      <EmptyState
        icon="environments"
        title={trans.__('Nothing uses it now')}
        text={trans.__('Choose it in a notebook’s kernel menu, run a job in it, or deploy a model with it.')}
        code={`studio run train.py --env ${env.name}`}
      />
    );
  }
  return <DataTable name="environment-uses" label={trans.__('Used by')} columns={columns} rows={env.uses} rowKey={use => `${use.kind}-${use.name}`} fit={16} />;
}
