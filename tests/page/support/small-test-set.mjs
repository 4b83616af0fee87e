// The page's own data with fewer test images: a software GPU would measure accuracy on all of them for minutes.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { pageFolder } from './page.mjs';

const FOLDER = 'data/mnist';

/** A `replace` for servePage. */
export function smallTestSet(images) {
  const files = new Map([
    ['t10k-images-idx3-ubyte', { header: 16, bytesEach: 28 * 28 }],
    ['t10k-labels-idx1-ubyte', { header: 8, bytesEach: 1 }],
  ]);
  const manifest = JSON.parse(readFileSync(join(pageFolder, FOLDER, 'manifest.json')));
  const replaced = new Map();
  for (const entry of manifest.files) {
    const shape = files.get(entry.name);
    if (shape === undefined) continue;
    const whole = gunzipSync(readFileSync(join(pageFolder, FOLDER, `${entry.name}.gz`)));
    const few = Buffer.from(whole.subarray(0, shape.header + images * shape.bytesEach));
    // The number of items is the big-endian word after the magic number.
    few.writeUInt32BE(images, 4);
    const compressed = gzipSync(few);
    Object.assign(entry, {
      bytes: few.length,
      compressed_bytes: compressed.length,
      sha256: createHash('sha256').update(few).digest('hex'),
    });
    replaced.set(`${FOLDER}/${entry.name}.gz`, compressed);
  }
  replaced.set(`${FOLDER}/manifest.json`, Buffer.from(JSON.stringify(manifest)));
  return (path) => replaced.get(path);
}
