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

/** File systems allow 255 bytes for a name, some of them less; browsers add “ (1)” and the like. */
const MOST_BYTES = 180;
/** Words of letters, marks and digits of all scripts, points within them (0.5), and pictographs. */
const WORD = /(?:[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:\.[\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*|\p{Extended_Pictographic})/gu;

/**
 * “Run 2, η = 0.5” as `adadagrad-run-2-η-0.5.csv`: a name that every file system takes. The prefix keeps names clear of
 * leading points and of names that Windows reserves; separators, control and direction characters are left out. Two
 * texts that become the same only because something had to be left out differ in a short sum at their end.
 */
export function fileName(text: string, ending: string): string {
  const plain = text.normalize('NFC').toLowerCase();
  const name = (plain.match(WORD) ?? []).join('-');
  const kept = atMostBytes(name, MOST_BYTES);
  const sum = kept === name && kept !== '' ? [] : [shortSum(plain)];
  return `${['adadagrad', ...(kept === '' ? ['run'] : [kept]), ...sum].join('-')}.${ending}`;
}

/** The first characters that UTF-8 has room for in so many bytes. */
function atMostBytes(text: string, most: number): string {
  const encoder = new TextEncoder();
  let bytes = 0;
  let kept = '';
  for (const character of text) {
    bytes += encoder.encode(character).length;
    if (bytes > most) return kept.replace(/[-.]+$/, '');
    kept += character;
  }
  return kept;
}

/** FNV-1a, 32 bits: tells texts apart, no more. */
function shortSum(text: string): string {
  let sum = 0x811c9dc5;
  for (const character of text) sum = Math.imul(sum ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (sum >>> 0).toString(36);
}
