// The page's own data with fewer test images: a software GPU would measure accuracy on all of them for minutes.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { MNIST, firstOf } from './data-files.mjs';
import { pageFolder } from './page.mjs';

/** A `replace` for servePage. */
export function smallTestSet(images) {
  const manifest = JSON.parse(readFileSync(join(pageFolder, MNIST, 'manifest.json')));
  const replaced = new Map();
  for (const entry of manifest.files) {
    if (!entry.name.startsWith('t10k')) continue;
    const few = firstOf(entry.name, images);
    const compressed = gzipSync(few);
    Object.assign(entry, {
      bytes: few.length,
      compressed_bytes: compressed.length,
      sha256: createHash('sha256').update(few).digest('hex'),
    });
    replaced.set(`${MNIST}/${entry.name}.gz`, compressed);
  }
  replaced.set(`${MNIST}/manifest.json`, Buffer.from(JSON.stringify(manifest)));
  return (path) => replaced.get(path);
}
