import { useState } from 'react';

import type { Artifact } from '../../api/model';
import { formatBytes } from '../../format';
import { useResource, useStudio } from '../../hooks';
import { Icon } from '../../icons';
import { DataTable, EmptyState, ErrorBox, IColumn, Link, Skeleton } from '../../ui';

/** The run's files, folder by folder. */
export function Artifacts({ runId }: { runId: string }): JSX.Element {
  const { trans } = useStudio();
  const [path, setPath] = useState('');
  const { data, error, refresh } = useResource(`artifacts/${runId}/${path}`, client => client.experiments.artifacts(runId, path), { topics: ['runs'], keep: true, id: runId });
  const parts = path ? path.split('/') : [];
  const columns: IColumn<Artifact>[] = [
    {
      key: 'path',
      label: trans.__('Name'),
      width: 240,
      cell: file => (
        <span className="jp-Studio-inline">
          <Icon name={file.is_dir ? 'folder' : 'file'} size={14} />
          {file.path.split('/').pop()}
        </span>
      )
    },
    { key: 'size', label: trans.__('Size'), width: 100, grow: 0, align: 'right', cell: file => (file.is_dir ? '' : formatBytes(file.file_size)) }
  ];
  if (!data) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton />;
  }
  if (data.length === 0 && !path) {
    return <EmptyState icon="file" title={trans.__('No files')} text={trans.__('Models, plots and tables that a run logs are kept here.')} code={'mlflow.log_artifact("report.html")'} />;
  }
  return (
    <div className="jp-Studio-stack">
      <div className="jp-Studio-crumbs">
        <Link onClick={() => setPath('')}>{trans.__('Artifacts')}</Link>
        {parts.map((part, i) => (
          <span key={part}>
            <Icon name="chevron" size={12} />
            <Link onClick={() => setPath(parts.slice(0, i + 1).join('/'))}>{part}</Link>
          </span>
        ))}
      </div>
      <DataTable name="artifacts" label={trans.__('Artifacts')} columns={columns} rows={data} rowKey={file => file.path} onOpen={file => file.is_dir && setPath(file.path)} fit={18} />
    </div>
  );
}
