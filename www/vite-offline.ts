/** Tells the service worker what it has to keep: every file of the build but the large data files. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Plugin } from 'vite';

const NAME = 'service-worker';
const PLACEHOLDER = '__BUILD__';

/** The entry that `build.rolldownOptions.input` needs beside index.html, and the name of its file. */
export const serviceWorkerEntry = { [NAME]: 'src/offline/service-worker.ts' };

/** Its address must stay the same from version to version, all others tell their content. */
export function entryFileName({ name }: { name: string }): string {
  return name === NAME ? '[name].js' : 'assets/[name]-[hash].js';
}

export function offline(): Plugin {
  let publicFolder = '';
  return {
    name: 'offline',
    apply: 'build',
    enforce: 'post',
    configResolved: (config) => {
      publicFolder = config.publicDir;
    },
    generateBundle(_options, bundle) {
      const contents = new Map<string, string | Uint8Array>();
      for (const [file, output] of Object.entries(bundle)) {
        contents.set(file, output.type === 'chunk' ? output.code : output.source);
      }
      for (const file of filesIn(publicFolder)) contents.set(file, readFileSync(join(publicFolder, file)));
      const worker = bundle[`${NAME}.js`];
      if (worker?.type !== 'chunk') throw new Error('the service worker was not built');
      if (worker.imports.length > 0) throw new Error('the service worker must be one file: it shares a module with the page');
      const files = [...contents.keys()].filter((file) => file !== worker.fileName && !file.endsWith('.gz')).sort();
      const hash = createHash('sha256');
      for (const file of [...files, worker.fileName]) hash.update(file).update('\0').update(contents.get(file) ?? '');
      const sums = Object.fromEntries(files.map((file) => [file, sha256(contents.get(file) ?? '')]));
      const build = { version: hash.digest('hex').slice(0, 16), files: sums };
      worker.code = worker.code.replaceAll(PLACEHOLDER, JSON.stringify(build));
    },
  };
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'));
}
