// The page's own MNIST files, or the first images of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { pageFolder } from './folders.mjs';

export const MNIST = 'data/mnist';

/** An unpacked IDX file that ends after `count` items. */
export function firstOf(name, count) {
  const whole = gunzipSync(readFileSync(join(pageFolder, MNIST, `${name}.gz`)));
  // The fourth byte is the number of dimensions, each of which is a big-endian word; the first is the number of items.
  const dimensions = Array.from({ length: whole[3] }, (_, index) => whole.readUInt32BE(4 + 4 * index));
  const bytesEach = dimensions.slice(1).reduce((product, size) => product * size, 1);
  const some = Buffer.from(whole.subarray(0, 4 + 4 * dimensions.length + count * bytesEach));
  some.writeUInt32BE(count, 4);
  return some;
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
