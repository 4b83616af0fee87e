/**
 * What the page cannot do without, in the order in which it is looked for. The start script reads this before anything
 * else is loaded, so it is written for browsers of any age, and takes nothing from other modules but types.
 */

/** The smallest module with a SIMD instruction: a function that returns i8x16.popcnt of a splat as a v128. */
const SIMD_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

const BROWSERS = 'A current Firefox, Chrome, Edge or Safari (16.4 or later) runs this page.';

interface Need {
  isMet: () => boolean;
  /** What is missing, in words, and what to do. */
  words: string;
}

const NEEDS: Need[] = [
  {
    isMet: () => location.protocol !== 'file:',
    words:
      'It was opened as a file, and browsers load programs and data only from a web server. ' +
      'Open it from one: “cargo xtask demo” starts one on your machine.',
  },
  {
    isMet: () => typeof origin !== 'string' || origin !== 'null',
    words:
      'It is shown in a sandboxed frame, where browsers do not start workers. Open it in a separate tab, ' +
      'or give the frame (or the Content-Security-Policy that makes the sandbox) “allow-same-origin”.',
  },
  { isMet: () => typeof WebAssembly === 'object', words: `This browser has no WebAssembly, which training requires. ${BROWSERS}` },
  {
    isMet: () => WebAssembly.validate(SIMD_MODULE),
    words: `This browser has no WebAssembly SIMD, which training requires. ${BROWSERS}`,
  },
  {
    isMet: mayCompile,
    words: 'The Content-Security-Policy of this site forbids WebAssembly: its script-src must allow “wasm-unsafe-eval”.',
  },
  { isMet: () => typeof Worker === 'function', words: `This browser has no Web Workers, which training requires. ${BROWSERS}` },
  { isMet: () => 'noModule' in HTMLScriptElement.prototype, words: `This browser has no JavaScript modules, which this page requires. ${BROWSERS}` },
  {
    isMet: () => typeof DecompressionStream === 'function',
    words: `This browser cannot decompress the training data (no DecompressionStream). ${BROWSERS}`,
  },
];

/** The first need that is not met, in words; null where the page can run. */
export function missingFeature(): string | null {
  for (const { isMet, words } of NEEDS) if (!isMet()) return words;
  return null;
}

/** Whether an error is about something that is not there, which browsers word in several ways. */
export function isAboutMissing(message: string): boolean {
  return /not defined|not a (function|constructor)|t find variable/.test(message);
}

/** Why a program that arrived whole did not start. */
export function lackingBrowser(message: string): string {
  return `This browser lacks something that the page needs (${message}). ${BROWSERS}`;
}

/** A policy shows only when something is compiled. */
function mayCompile(): boolean {
  try {
    return new WebAssembly.Module(SIMD_MODULE) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}
