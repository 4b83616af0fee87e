// The page with the first images of its data sets alone, and the first characters of its text. What is tested is seldom that there are 60,000 and 10,000 of them: each
// visit unpacks, checks and keeps them all, and each measurement goes through them.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { MNIST, SHAKESPEARE, firstOf } from './data-files.mjs';
import { listing } from './deployment.mjs';
import { pageFolder } from './folders.mjs';

/** Of the text; enough for a batch of 1,000 sequences of 32 characters. */
const FEW_CHARACTERS = { training: 36_000, test: 3000 };

/** More than the quick preset's largest batch, and enough for an accuracy of two digits. */
export const FEW = { training: 6000, test: 1000 };

/**
 * Files that a server sends instead of those of the built page, by path: data with these numbers of images (or few characters), their manifests,
 * and a service worker that lists them. `folders`: the data sets; one that the page was built without is left out.
 */
export function smallData({ training, test, folders = [MNIST] }) {
  const files = new Map();
  for (const folder of folders.filter(isBuilt)) {
    const manifest = JSON.parse(readFileSync(manifestOf(folder)));
    for (const entry of manifest.files) {
      const { compressed, ...facts } = folder === SHAKESPEARE ? packedText(entry.name) : packed(folder, entry.name, entry.name.startsWith('t10k') ? test : training);
      Object.assign(entry, facts);
      files.set(`${folder}/${entry.name}.gz`, compressed);
    }
    files.set(`${folder}/manifest.json`, Buffer.from(JSON.stringify(manifest)));
  }
  files.set('service-worker.js', listing(readFileSync(join(pageFolder, 'service-worker.js')), files));
  return files;
}

function manifestOf(folder) {
  return join(pageFolder, folder, 'manifest.json');
}

function isBuilt(folder) {
  return existsSync(manifestOf(folder));
}

function packedText(name) {
  return packedOnce(name, () => someText(name.startsWith('training') ? 'training' : 'test'));
}

/** The first characters of a part of the page's text. */
export function someText(part) {
  const packed = readFileSync(join(pageFolder, SHAKESPEARE, `${part === 'training' ? 'training' : 'validation'}.txt.gz`));
  return gunzipSync(packed).subarray(0, FEW_CHARACTERS[part]);
}

const made = new Map();

/** The first images or labels, packed once, and what the list of the data says of them. */
function packed(folder, name, count) {
  return packedOnce(`${folder} ${name} ${count}`, () => firstOf(name, count, folder));
}

function packedOnce(key, read) {
  if (!made.has(key)) {
    const bytes = read();
    const compressed = gzipSync(bytes, { level: 1 });
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    made.set(key, { compressed, bytes: bytes.length, compressed_bytes: compressed.length, sha256 });
  }
  return made.get(key);
}
