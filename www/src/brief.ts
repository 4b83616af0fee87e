/** Keeps what the page says short, however much there is to say. */

const MOST_NAMED = 3;
const MOST_CHARACTERS = 300;
const MOST_QUOTED_CHARACTERS = 40;

/** The first three sentences, and how many more there are, as `noun`s. */
export function inBrief(sentences: readonly string[], noun = 'mistake'): string {
  const named = sentences.slice(0, MOST_NAMED).map((sentence) => shortened(sentence));
  const others = sentences.length - named.length;
  if (others > 0) named.push(`${others.toLocaleString('en-US')} more ${others === 1 ? noun : `${noun}s`}.`);
  return named.join(' ');
}

/** A text that ends after so many characters. */
export function shortened(text: string, most = MOST_CHARACTERS): string {
  // By characters, not by halves of them.
  const characters = [...text.slice(0, 2 * most + 2)];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}

/** “auto, webgpu or cpu”. */
export function oneOf(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), ...words.slice(-1)].filter((part) => part !== '').join(' or ');
}

/** Somebody else's words in a sentence of the page's. */
export function quoted(words: string): string {
  return `“${shortened(inOneLine(words), MOST_QUOTED_CHARACTERS)}”`;
}

/** Without line breaks and other control characters, and without marks that turn the direction of what stands beside them. */
export function inOneLine(words: string): string {
  return words.replaceAll(/\p{Cc}+/gu, ' ').replaceAll(/[\u202A-\u202E\u2066-\u2069]/g, '');
}
