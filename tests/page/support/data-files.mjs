// The page's own data files, or the first images of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { pageFolder } from './folders.mjs';

export const MNIST = 'data/mnist';
/** ASCII alone: a byte is a character. */
export const SHAKESPEARE = 'data/shakespeare';
/** For smallData's `folders`: a visit to both. */
export const BOTH_MNISTS = [MNIST, 'data/fashion_mnist'];

/** The longest header of such a file: images have three dimensions. */
const HEADER_BYTES = 16;

/** An unpacked IDX file that ends after `count` items; `folder`: of the data set. */
export function firstOf(name, count, folder = MNIST) {
  const packed = readFileSync(join(pageFolder, folder, `${name}.gz`));
  const header = unpackedStart(packed, HEADER_BYTES);
  // The fourth byte is the number of dimensions, each of which is a big-endian word; the first is the number of items.
  const dimensions = Array.from({ length: header[3] }, (_, index) => header.readUInt32BE(4 + 4 * index));
  const bytesEach = dimensions.slice(1).reduce((product, size) => product * size, 1);
  const some = Buffer.from(unpackedStart(packed, 4 + 4 * dimensions.length + count * bytesEach));
  some.writeUInt32BE(count, 4);
  return some;
}

/** The first bytes of what was packed, without unpacking much more: all of it takes a third of a second. */
function unpackedStart(packed, length) {
  for (let taken = 1024 + Math.ceil(length / 4); ; taken *= 2) {
    const start = gunzipSync(packed.subarray(0, taken), { finishFlush: constants.Z_SYNC_FLUSH });
    if (start.length >= length || taken >= packed.length) return start.subarray(0, length);
  }
}

/** A data set as a visitor has it: four files, as playwright's setInputFiles takes them. */
export function ownFiles({ training, test }) {
  const file = (name, count) => ({ name, mimeType: 'application/octet-stream', buffer: firstOf(name, count) });
  return [
    file('train-images-idx3-ubyte', training),
    file('train-labels-idx1-ubyte', training),
    file('t10k-images-idx3-ubyte', test),
    file('t10k-labels-idx1-ubyte', test),
  ];
}

/** Drops files on the page. */
export function drop(page, files) {
  const sent = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, base64: buffer.toString('base64') }));
  return page.evaluate((dropped) => {
    const dataTransfer = new DataTransfer();
    for (const { name, mimeType, base64 } of dropped) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      dataTransfer.items.add(new File([bytes], name, { type: mimeType }));
    }
    document.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  }, sent);
}
