/**
 * What JupyterLab's sanitizer lets through and a text by somebody else shall not do here: ask any server for anything,
 * look like a part of the lab, or run one of its commands. Takes sanitized HTML.
 */
export function harden(html: string): string {
  // A document made by the parser loads nothing and runs nothing.
  const { body } = new DOMParser().parseFromString(html, 'text/html');
  for (const element of [...body.querySelectorAll('*')]) {
    if (LOADS.has(element.localName)) {
      element.remove();
    } else if (element.localName === 'img' && !DATA.test(element.getAttribute('src') ?? '')) {
      const note = document.createElement('span');
      note.className = 'jp-Studio-noImage';
      note.textContent = element.getAttribute('alt') || element.getAttribute('src') || '–';
      note.title = element.getAttribute('src') ?? '';
      element.replaceWith(note);
    } else {
      clean(element);
    }
  }
  return body.innerHTML;
}

const LOADS = new Set('audio video source track picture object embed iframe frame link meta base style script form input button select textarea svg math'.split(' '));
const KEPT = new Set('href src alt title colspan rowspan align start width height'.split(' '));
const DATA = /^data:image\/(png|jpeg|gif|webp|svg\+xml)[;,]/i;

function clean(element: Element): void {
  for (const { name, value } of [...element.attributes]) {
    const isLanguage = name === 'class' && /^(language|cm|jp-RenderedHTML)-?[\w-]*$/.test(value);
    if (!KEPT.has(name) && !isLanguage) {
      element.removeAttribute(name);
    }
  }
  if (element.localName !== 'a') {
    element.removeAttribute('href');
  } else if (/^https?:\/\//i.test(element.getAttribute('href') ?? '')) {
    // A new window without a hold on this one, and without saying where it was opened from.
    element.setAttribute('target', '_blank');
    element.setAttribute('rel', 'noopener noreferrer');
  } else {
    element.removeAttribute('href');
  }
}
