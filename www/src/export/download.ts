/** Hands a file to the visitor. Nothing leaves the tab: the browser saves what the page already holds. */
import { element } from '../dom.js';

/** A browser needs the address for as long as it takes to save; there is no event that says when it has. */
const ADDRESS_LIFETIME_MILLISECONDS = 60_000;

export function download(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = element('a', { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), ADDRESS_LIFETIME_MILLISECONDS);
}

/** “Run 2, η = 0.5” as part of a file's name. */
export function fileName(text: string, ending: string): string {
  const plain = text.toLowerCase().replaceAll('η', 'eta').replaceAll('ϑ', 'theta').replaceAll('ν', 'nu');
  return `adadagrad-${plain.replace(/[^a-z0-9.]+/g, '-').replace(/^-|-$/g, '') || 'run'}.${ending}`;
}
