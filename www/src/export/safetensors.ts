/** A model as a safetensors file, which PyTorch and others open: a header in JSON, then the numbers. */
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
