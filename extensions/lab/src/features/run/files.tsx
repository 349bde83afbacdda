import { KeyboardEvent, useState } from 'react';

import type { Artifact, RunDetail } from '../../api/model';
import { formatBytes } from '../../format';
import { useResource, useStudio } from '../../hooks';
import { Icon, IconName } from '../../icons';
import { TEST } from '../../testids';
import { Button, EmptyState, ErrorBox, Skeleton, Tag, useCopy } from '../../ui';
import type { IPlace } from './client';
import { kindOf, nameOf } from './previews/kinds';
import { Preview } from './previews/preview';

interface IChosen {
  place: IPlace;
  path: string;
  size: number | null;
}

interface ITreeProps {
  chosen: IChosen | null;
  onChoose: (chosen: IChosen) => void;
}

/** The run's files and those of the models it logged: a tree at the left, the chosen file at the right. */
export function Files({ run }: { run: RunDetail }): JSX.Element {
  const { trans } = useStudio();
  const own: IPlace = { kind: 'run', id: run.run_id };
  const [chosen, setChosen] = useState<IChosen | null>(() => firstOf(run, own));
  if (run.artifacts.length === 0 && run.models.length === 0) {
    return <EmptyState icon="file" testId={TEST.empty('artifacts')} title={trans.__('No files')} text={trans.__('Models, plots and tables that a run logs are kept here.')} code={'mlflow.log_artifact("report.html")\nmlflow.log_figure(figure, "confusion_matrix.png")\nmlflow.log_table(frame, "errors.json")'} />;
  }
  return (
    <div className="jp-Studio-files">
      <div className="jp-Studio-fileTree" role="tree" aria-label={trans.__('Files')} onKeyDown={moveFocus}>
        {run.models.map(model => (
          <Folder
            key={model.model_id}
            place={{ kind: 'model', id: model.model_id }}
            path=""
            name={model.name || model.model_id}
            icon="models"
            depth={0}
            opened
            note={model.registered ? `${model.registered} v${model.version ?? ''}` : undefined}
            chosen={chosen}
            onChoose={setChosen}
          />
        ))}
        <Entries place={own} path="" depth={0} chosen={chosen} onChoose={setChosen} />
      </div>
      <div className="jp-Studio-fileMain">{chosen ? <FileView key={`${chosen.place.id}/${chosen.path}`} run={run} chosen={chosen} /> : <p className="jp-Studio-hint">{trans.__('Choose a file.')}</p>}</div>
    </div>
  );
}

/** What is worth seeing first: the model, else a picture, else whatever comes first. */
function firstOf(run: RunDetail, own: IPlace): IChosen | null {
  const model = run.models[0];
  if (model) {
    return { place: { kind: 'model', id: model.model_id }, path: 'MLmodel', size: null };
  }
  const files = run.artifacts.filter(file => !file.is_dir);
  const file = files.find(item => kindOf(item.path) === 'image') ?? files[0];
  return file ? { place: own, path: file.path, size: file.file_size } : null;
}

function Entries({ place, path, depth, chosen, onChoose }: ITreeProps & { place: IPlace; path: string; depth: number }): JSX.Element {
  const { trans } = useStudio();
  const key = `files/${place.kind}/${place.id}/${path}`;
  const { data, error, refresh } = useResource(key, client => client.run.files(place, path), { topics: ['runs'], id: place.id });
  if (!data) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton rows={2} />;
  }
  const sorted = [...data].sort((a, b) => Number(b.is_dir) - Number(a.is_dir) || a.path.localeCompare(b.path, undefined, { numeric: true }));
  return (
    <>
      {sorted.map(file =>
        file.is_dir ? (
          <Folder key={file.path} place={place} path={file.path} name={nameOf(file.path)} icon="folder" depth={depth} chosen={chosen} onChoose={onChoose} />
        ) : (
          <FileLine key={file.path} place={place} file={file} depth={depth} chosen={chosen} onChoose={onChoose} />
        )
      )}
      {sorted.length === 0 && depth > 0 && (
        <p className="jp-Studio-hint" style={indent(depth)}>
          {trans.__('Empty')}
        </p>
      )}
    </>
  );
}

interface IFolderProps extends ITreeProps {
  place: IPlace;
  path: string;
  name: string;
  icon: IconName;
  depth: number;
  opened?: boolean;
  note?: string;
}

function Folder({ place, path, name, icon, depth, opened = false, note, chosen, onChoose }: IFolderProps): JSX.Element {
  const [open, setOpen] = useState(opened);
  return (
    <div role="none">
      <button
        type="button"
        role="treeitem"
        aria-expanded={open}
        aria-level={depth + 1}
        aria-selected={false}
        className="jp-Studio-fileLine"
        style={indent(depth)}
        title={name}
        data-testid={TEST.file(path || name)}
        onClick={() => setOpen(!open)}
        onKeyDown={event => {
          if ((event.key === 'ArrowRight' && !open) || (event.key === 'ArrowLeft' && open)) {
            event.stopPropagation();
            setOpen(!open);
          }
        }}
      >
        <span className={`jp-Studio-jsonToggle${open ? ' jp-mod-open' : ''}`}>
          <Icon name="chevron" size={12} />
        </span>
        <Icon name={icon} size={14} />
        <span className="jp-Studio-fileName">{name}</span>
        {note && <Tag tone="brand">{note}</Tag>}
      </button>
      {open && (
        <div role="group">
          <Entries place={place} path={path} depth={depth + 1} chosen={chosen} onChoose={onChoose} />
        </div>
      )}
    </div>
  );
}

function FileLine({ place, file, depth, chosen, onChoose }: ITreeProps & { place: IPlace; file: Artifact; depth: number }): JSX.Element {
  const isChosen = chosen?.place.id === place.id && chosen.path === file.path;
  return (
    <button
      type="button"
      role="treeitem"
      aria-level={depth + 1}
      aria-selected={isChosen}
      className={`jp-Studio-fileLine${isChosen ? ' jp-mod-active' : ''}`}
      style={indent(depth)}
      title={file.path}
      data-testid={TEST.file(file.path)}
      onClick={() => onChoose({ place, path: file.path, size: file.file_size })}
    >
      <span className="jp-Studio-jsonToggle" />
      <Icon name={ICONS[kindOf(file.path)] ?? 'file'} size={14} />
      <span className="jp-Studio-fileName">{nameOf(file.path)}</span>
      <small>{formatBytes(file.file_size)}</small>
    </button>
  );
}

const ICONS: Partial<Record<string, IconName>> = { image: 'image', svg: 'image', table: 'columns', json: 'code', model: 'models', html: 'external' };

function indent(depth: number): { paddingLeft: number } {
  return { paddingLeft: 4 + depth * 16 };
}

/** Up and down go through what is open; the buttons are in the order in which they are seen. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    const lines = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=treeitem]')];
    lines[lines.indexOf(document.activeElement as HTMLElement) + step]?.focus();
    event.preventDefault();
  }
}

function FileView({ run, chosen }: { run: RunDetail; chosen: IChosen }): JSX.Element {
  const { trans, client } = useStudio();
  const { place, path, size } = chosen;
  const uri = place.kind === 'run' ? `runs:/${run.run_id}/${path}` : `models:/${place.id}/${path}`;
  return (
    <>
      <header className="jp-Studio-fileHead">
        <div>
          <h3 title={path}>{path}</h3>
          {size !== null && <span className="jp-Studio-hint">{formatBytes(size)}</span>}
        </div>
        <Copy label={trans.__('Copy path')} text={uri} />
        <Copy label={trans.__('Copy code')} text={`import mlflow\n\npath = mlflow.artifacts.download_artifacts("${uri}")`} />
        <a className="jp-Studio-button" href={client.run.fileUrl(place, path)} download={nameOf(path)} data-testid={TEST.fileDownload}>
          <Icon name="download" size={14} />
          {trans.__('Download')}
        </a>
      </header>
      <div className="jp-Studio-fileBody">
        <Preview place={place} path={path} size={size} />
      </div>
    </>
  );
}

function Copy({ label, text }: { label: string; text: string }): JSX.Element {
  const { trans } = useStudio();
  const [copied, copy] = useCopy();
  return (
    <Button kind="quiet" icon={copied ? 'check' : 'copy'} title={text} onClick={() => copy(text)}>
      {copied ? trans.__('Copied') : label}
    </Button>
  );
}
