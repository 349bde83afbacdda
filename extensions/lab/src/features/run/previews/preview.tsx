import { useEffect, useState } from 'react';

import { formatBytes } from '../../../format';
import { useResource, useStudio } from '../../../hooks';
import type { IFile } from '../../../request';
import { TEST } from '../../../testids';
import { Button, EmptyState, ErrorBox, Markdown, Skeleton } from '../../../ui';
import type { IPlace } from '../client';
import { CardView } from './card';
import { closedFrame } from './frames';
import { JsonTree } from './json';
import { Kind, MOST, folderOf, imageType, isText, kindOf, nameOf } from './kinds';
import { TableView } from './table';
import { parseCsv, tableOf } from './tables';

interface IPreviewProps {
  place: IPlace;
  path: string;
  size: number | null;
}

/** A file, shown as safely as its kind allows; nothing in it runs in the lab's origin. */
export function Preview({ place, path, size }: IPreviewProps): JSX.Element {
  const { trans } = useStudio();
  const kind = kindOf(path);
  if (kind === 'model') {
    return <ModelPreview place={place} folder={folderOf(path)} />;
  }
  const isWhole = kind === 'image' || kind === 'svg' || kind === 'html';
  if (isWhole && size !== null && size > MOST[kind]) {
    const text = trans.__('%1 is more than the %2 that are shown. Download it to look at it.', formatBytes(size), formatBytes(MOST[kind]));
    return <EmptyState icon="file" title={nameOf(path)} text={text} />;
  }
  return <Loaded key={path} place={place} path={path} kind={kind} />;
}

function Loaded({ place, path, kind }: { place: IPlace; path: string; kind: Kind }): JSX.Element {
  const { client } = useStudio();
  const [file, setFile] = useState<IFile | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let alive = true;
    setError(null);
    client.run
      .file(place, path, MOST[kind])
      .then(found => alive && setFile(found))
      .catch((caught: Error) => alive && setError(caught));
    return () => {
      alive = false;
    };
    // A place is made anew on every draw; what it names is what counts.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, place.kind, place.id, path, kind, turn]);
  if (error) {
    return <ErrorBox error={error} onRetry={() => setTurn(turn + 1)} />;
  }
  if (!file) {
    return <Skeleton rows={8} />;
  }
  return (
    <div className="jp-Studio-preview" data-testid={TEST.preview(kind)}>
      {kind === 'image' || kind === 'svg' ? <ImagePreview path={path} kind={kind} data={file.data} /> : <Decoded path={path} kind={kind} file={file} />}
    </div>
  );
}

/**
 * An image is seen through an `<img>`, where SVG runs no script and loads nothing. SVG gets a `data:` address: a `blob:`
 * one, opened in a tab of its own, would be a document of the lab's origin and run.
 */
function ImagePreview({ path, kind, data }: { path: string; kind: Kind; data: Blob }): JSX.Element {
  const { trans } = useStudio();
  const [url, setUrl] = useState('');
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    if (kind === 'svg') {
      const reader = new FileReader();
      reader.onload = () => setUrl(typeof reader.result === 'string' ? reader.result : '');
      reader.readAsDataURL(new Blob([data], { type: 'image/svg+xml' }));
      return () => reader.abort();
    }
    const made = URL.createObjectURL(new Blob([data], { type: imageType(path) }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [path, kind, data]);
  if (broken) {
    return <p className="jp-Studio-hint">{trans.__('This is not an image that the browser can show.')}</p>;
  }
  return <div className="jp-Studio-picture">{url && <img src={url} alt={nameOf(path)} onError={() => setBroken(true)} />}</div>;
}

function Decoded({ path, kind, file }: { path: string; kind: Kind; file: IFile }): JSX.Element {
  const { trans } = useStudio();
  const [bytes, setBytes] = useState<Uint8Array | null>(null);
  useEffect(() => {
    let alive = true;
    void file.data.arrayBuffer().then(buffer => alive && setBytes(new Uint8Array(buffer)));
    return () => {
      alive = false;
    };
  }, [file]);
  if (!bytes) {
    return <Skeleton />;
  }
  if (bytes.length === 0) {
    return <p className="jp-Studio-hint">{trans.__('The file is empty.')}</p>;
  }
  if (kind === 'none' && !isText(bytes)) {
    return <EmptyState icon="file" title={nameOf(path)} text={trans.__('%1 of a binary format that is not shown here. Download it, or open it with the code above.', formatBytes(file.size))} />;
  }
  const text = new TextDecoder().decode(bytes);
  const cut = file.size > bytes.length;
  switch (kind) {
    case 'html':
      return <HtmlPreview html={text} />;
    case 'markdown':
      return <Markdown text={text} />;
    case 'table':
      return <TableView table={parseCsv(text, /\.tsv$/i.test(path) ? '\t' : ',', cut)} name="file-rows" />;
    case 'json':
      return <JsonPreview text={text} cut={cut} size={file.size} />;
    default:
      return <TextPreview text={text} cut={cut} size={file.size} />;
  }
}

function JsonPreview({ text, cut, size }: { text: string; cut: boolean; size: number }): JSX.Element {
  if (!cut) {
    try {
      const value: unknown = JSON.parse(text);
      const table = tableOf(value);
      return table ? <TableView table={table} name="file-rows" /> : <JsonTree value={value} />;
    } catch {
      // Not JSON, whatever it is called (NaN in it, lines of JSON): its text is shown.
    }
  }
  return <TextPreview text={text} cut={cut} size={size} />;
}

function TextPreview({ text, cut, size }: { text: string; cut: boolean; size: number }): JSX.Element {
  const { trans } = useStudio();
  return (
    <>
      {cut && <p className="jp-Studio-hint">{trans.__('The first %1 of %2.', formatBytes(text.length), formatBytes(size))}</p>}
      <pre className="jp-Studio-fileText" tabIndex={0}>
        {text}
      </pre>
    </>
  );
}

function HtmlPreview({ html }: { html: string }): JSX.Element {
  const { trans } = useStudio();
  const [scripts, setScripts] = useState(false);
  const { sandbox, srcDoc } = closedFrame(html, scripts);
  const hasScripts = /<script/i.test(html);
  return (
    <>
      <div className="jp-Studio-frameBar">
        <span className="jp-Studio-hint">
          {scripts ? trans.__('Its scripts run in a closed frame: without your session, and without any request.') : hasScripts ? trans.__('Shown without its scripts.') : trans.__('Shown in a closed frame, without any request.')}
        </span>
        {hasScripts && !scripts && (
          <Button icon="play" testId={TEST.previewScripts} onClick={() => setScripts(true)}>
            {trans.__('Run its scripts')}
          </Button>
        )}
      </div>
      <iframe key={String(scripts)} className="jp-Studio-closedFrame" title={trans.__('The file, in a closed frame')} sandbox={sandbox} srcDoc={srcDoc} referrerPolicy="no-referrer" />
    </>
  );
}

function ModelPreview({ place, folder }: { place: IPlace; folder: string }): JSX.Element {
  const { data, error, refresh } = useResource(`card/${place.kind}/${place.id}/${folder}`, client => client.run.card(place, folder), { topics: [] });
  if (!data) {
    return error ? <ErrorBox error={error} onRetry={() => void refresh()} /> : <Skeleton rows={8} />;
  }
  return (
    <div data-testid={TEST.preview('model')}>
      <CardView card={data} />
    </div>
  );
}
