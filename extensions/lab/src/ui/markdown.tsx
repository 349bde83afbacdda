import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import { useLayoutEffect, useRef } from 'react';

import { useStudio } from '../hooks';
import { harden } from './harden';

/**
 * Markdown by whoever wrote it, drawn by JupyterLab's own renderer with its sanitizer, and without any request. TeX stays
 * as it was written: it is set after the sanitizer, and its \style can ask any server for a picture.
 */
export function Markdown({ text, testId }: { text: string; testId?: string }): JSX.Element {
  const { rendermime } = useStudio();
  const host = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = host.current;
    if (!rendermime || !element) {
      return;
    }
    const { sanitizer } = rendermime;
    const strict: IRenderMime.ISanitizer = { sanitize: (dirty, options) => harden(sanitizer.sanitize(dirty, options)) };
    // A clone without the notebook's ways out: links are plain links, nothing is resolved against files of the lab.
    const renderer = rendermime.clone({ sanitizer: strict, resolver: NOWHERE, linkHandler: NO_LINKS, latexTypesetter: NO_TEX }).createRenderer(MIME);
    // Its node only: the panel around may not be in the page yet, and a widget can be attached to nothing else.
    element.appendChild(renderer.node);
    const model = rendermime.createModel({ data: { [MIME]: text }, trusted: false });
    void renderer.renderModel(model).then(() => {
      // The renderer writes its own `rel` over that of `harden`.
      renderer.node.querySelectorAll('a[target]').forEach(link => link.setAttribute('rel', 'noopener noreferrer'));
    });
    return () => {
      renderer.node.remove();
      renderer.dispose();
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
const NO_TEX: IRenderMime.ILatexTypesetter = { typeset: () => undefined };
