/**
 * Untrusted HTML is shown in a frame inside a frame.
 *
 * Both are sandboxed without `allow-same-origin`: their origin is opaque, so neither cookies, storage nor the lab's
 * document can be reached. The outer one is ours and has no script; its policy forbids every request, is inherited by
 * the inner one (a `srcdoc` document takes its parent's), and, as `frame-src`, also governs where the inner one may
 * navigate to: a page that sets `location` or follows a link leaves nothing either. One frame alone could do that.
 * The inner one has the policy at its own head too: what a frame inherits is told to it on another way than its text,
 * and on a busy machine the text has been seen to come first.
 * Scripts are off until a person asks for them, since a report that needs none should not run any.
 */
export function closedFrame(html: string, scripts: boolean): { sandbox: string; srcDoc: string } {
  const sandbox = scripts ? 'allow-scripts' : '';
  const policy = [
    "default-src 'none'",
    scripts ? "script-src 'unsafe-inline' 'unsafe-eval'" : "script-src 'none'",
    "style-src 'unsafe-inline'",
    'img-src data: blob:',
    'font-src data:',
    'media-src data: blob:',
    "frame-src 'none'",
    "form-action 'none'",
    "base-uri 'none'"
  ].join('; ');
  const head = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}"><meta http-equiv="x-dns-prefetch-control" content="off">`;
  const inner = `${head}${scripts ? PRELUDE : ''}${html}`;
  const srcDoc = `${head}<style>html,body,iframe{display:block;width:100%;height:100%;margin:0;border:0;background:white}</style><iframe sandbox="${sandbox}" srcdoc="${escaped(inner)}"></iframe>`;
  return { sandbox, srcDoc };
}

/** Peer connections are the one way out that no policy covers. */
const PRELUDE =
  '<script>for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport"]) Object.defineProperty(window, name, { value: undefined });</script>';

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/"/g, '&quot;');
}
