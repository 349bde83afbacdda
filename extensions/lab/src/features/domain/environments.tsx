import type { Environment } from '../../api/model';
import { useResource, useStudio } from '../../hooks';
import { Button, DataTable, IColumn, Link, Skeleton, StatusPill } from '../../ui';
import { Failure, ISectionProps, Page } from './parts';

/** The environments that code here can start from; their own panel makes and changes them. */
export function EnvironmentsPage({ domain }: ISectionProps): JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  const { data, error, refresh } = useResource('environments', client => client.environments.list(), { topics: ['environments'] });
  const columns: IColumn<Environment>[] = [
    { key: 'name', label: trans.__('Environment'), width: 140, grow: 2, cell: env => <Link onClick={() => studio.open('environments', env.name)}>{env.name}</Link> },
    { key: 'title', label: trans.__('What for'), width: 180, grow: 3, cell: env => env.title },
    { key: 'state', label: trans.__('State'), width: 112, cell: env => <StatusPill state={env.state} /> },
    { key: 'packages', label: trans.__('Packages'), width: 80, align: 'right', cell: env => String(env.packages.length) }
  ];
  return (
    <Page
      name="environments"
      title={trans.__('Environments')}
      lead={trans.__('Locked sets of packages that kernels, jobs and endpoints of this domain start from.')}
      aside={
        <Button kind="primary" icon="environments" onClick={() => studio.open('environments')}>
          {trans.__('Open environments')}
        </Button>
      }
    >
      {error && <Failure error={error} domain={domain} onRetry={() => void refresh()} />}
      {!data && !error && <Skeleton rows={3} />}
      {data && <DataTable name="domain-environments" label={trans.__('Environments')} columns={columns} rows={data} rowKey={env => env.name} onOpen={env => studio.open('environments', env.name)} fit={16} />}
    </Page>
  );
}
