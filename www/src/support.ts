/** Says in one sentence what this browser lacks, before anything is loaded. */

/** The smallest module with a SIMD instruction: a function that returns i8x16.popcnt of a splat as a v128. */
const SIMD_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
]);

const ADVICE = 'A current Firefox, Chrome, Edge or Safari (16.4 or later) runs this page.';

export function missingFeature(): string | null {
  if (typeof WebAssembly !== 'object') return `This browser has no WebAssembly, which the training runs on. ${ADVICE}`;
  if (!WebAssembly.validate(SIMD_MODULE)) {
    return `This browser has no WebAssembly SIMD, which the training is compiled for. ${ADVICE}`;
  }
  if (typeof Worker !== 'function') return `This browser has no Web Workers, in which the training runs. ${ADVICE}`;
  if (typeof DecompressionStream !== 'function') {
    return `This browser cannot decompress the training data (no DecompressionStream). ${ADVICE}`;
  }
  return null;
}
