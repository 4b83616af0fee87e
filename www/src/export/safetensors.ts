/** A model as a safetensors file, which PyTorch and others open: a header in JSON, then the numbers. */
import { shortened } from '../brief.js';
import type { TensorPlace } from '../../pkg/adadagrad_web.js';

const BYTES_PER_NUMBER = 4;

export function safetensors(tensors: readonly TensorPlace[], values: Float32Array, metadata: Record<string, string>): Blob {
  const entries = tensors.map(({ name, shape, offset }) => {
    const length = shape.reduce((product, side) => product * side, 1);
    return [name, { dtype: 'F32', shape, data_offsets: [offset * BYTES_PER_NUMBER, (offset + length) * BYTES_PER_NUMBER] }] as const;
  });
  const text = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  // The numbers begin at a multiple of eight bytes; spaces may follow the header.
  const header = new TextEncoder().encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(header.length), true);
  return new Blob([length, header, values as Float32Array<ArrayBuffer>], { type: 'application/octet-stream' });
}

/**
 * What the module says of a file, with a number as the file has it: one that no number can hold has become an infinite one
 * by the time the module reads it.
 */
export function asWritten(problem: string, file: Uint8Array): string {
  const infinite = /\bis (-?)inf\b/.exec(problem);
  if (infinite === null) return problem;
  const [, sign = ''] = infinite;
  const written = overflowing(headerOf(file)).find((number) => number.startsWith('-') === (sign === '-'));
  return written === undefined ? problem : problem.replace(infinite[0], `is ${shortened(written, MOST_DIGITS)}`);
}

const LENGTH_BYTES = 8;
const MOST_DIGITS = 40;

function headerOf(file: Uint8Array): string {
  const { buffer, byteOffset, length } = file;
  if (length < LENGTH_BYTES) return '';
  const header = Number(new DataView(buffer, byteOffset).getBigUint64(0, true));
  return new TextDecoder().decode(file.subarray(LENGTH_BYTES, Math.min(length, LENGTH_BYTES + header)));
}

/** The numbers in a text that are too large for any. */
function overflowing(text: string): string[] {
  const numbers = text.match(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g) ?? [];
  return numbers.filter((number) => !Number.isFinite(Number(number)));
}
