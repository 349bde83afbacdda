import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { Widget } from '@lumino/widgets';
import { useLayoutEffect, useRef } from 'react';

import { useStudio } from '../hooks';
import { harden } from './harden';

/** Markdown by whoever wrote it, drawn by JupyterLab's own renderer with its sanitizer, and without any request. */
export function Markdown({ text, testId }: { text: string; testId?: string }): JSX.Element {
  const { rendermime } = useStudio();
  const host = useRef<HTMLDivElement>(null);
  // Before React takes the element out of the page: a widget is detached while its node is still in it.
  useLayoutEffect(() => {
    const element = host.current;
    if (!rendermime || !element) {
      return;
    }
    const { sanitizer } = rendermime;
    const strict: IRenderMime.ISanitizer = { sanitize: (dirty, options) => harden(sanitizer.sanitize(dirty, options)) };
    // A clone without the notebook's ways out: links are plain links, nothing is resolved against files of the lab.
    const renderer = rendermime.clone({ sanitizer: strict, resolver: NOWHERE, linkHandler: NO_LINKS }).createRenderer(MIME);
    Widget.attach(renderer, element);
    void renderer.renderModel(rendermime.createModel({ data: { [MIME]: text }, trusted: false }));
    return () => {
      if (renderer.node.isConnected) {
        renderer.dispose();
      }
    };
  }, [rendermime, text]);
  return (
    <div className="jp-Studio-markdown" data-testid={testId} ref={host}>
      {rendermime ? null : <pre>{text}</pre>}
    </div>
  );
}

const MIME = 'text/markdown';
const NOWHERE: IRenderMime.IResolver = {
  resolveUrl: url => Promise.resolve(url),
  getDownloadUrl: url => Promise.resolve(url),
  isLocal: () => false
};
const NO_LINKS: IRenderMime.ILinkHandler = { handleLink: () => undefined };
