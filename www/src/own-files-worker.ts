/**
 * Looks at files of the visitor's before anything is changed for them, in a worker and a wasm module of its own: the run at
 * hand is neither held up by files that are large nor ended by files that are too large.
 */
import './start/older-browsers.js';
import './start/trusted-types.js';
import initialise from '../pkg/adadagrad_web.js';
import { DataError } from './data-error.js';
import { readOwnFiles } from './own-files.js';
import type { OwnFilesLook } from './protocol.js';

const LABEL_HEADER_BYTES = 8;

async function look(files: readonly File[]): Promise<OwnFilesLook> {
  try {
    await initialise();
    const { train_labels: training, test_labels: test } = await readOwnFiles(files);
    return { training: training.length - LABEL_HEADER_BYTES, test: test.length - LABEL_HEADER_BYTES };
  } catch (error) {
    return { problem: error instanceof DataError ? error.message : 'These files cannot be read.' };
  }
}

self.addEventListener('message', ({ data: files }: MessageEvent<readonly File[]>) => {
  void look(files).then((found) => self.postMessage(found));
});
