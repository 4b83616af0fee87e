/**
 * Looks at files of the visitor's before anything is changed for them, in a worker and a wasm module of its own: the run at
 * hand is neither held up by files that are large nor ended by files that are too large.
 */
import initialise, { Session } from '../pkg/adadagrad_web.js';
import { DataError } from './data-error.js';
import { readOwnFiles } from './own-files.js';
import type { OwnFilesLook, OwnFilesQuestion, OwnFilesReport } from './protocol.js';

function post(report: OwnFilesReport): void {
  self.postMessage(report);
}

async function look({ files, text }: OwnFilesQuestion): Promise<OwnFilesLook> {
  try {
    await initialise();
    post('begun');
    const found = await readOwnFiles(files, text);
    const { training_samples: training, test_samples: test, shape } = new Session(found, 'own', text).facts(null);
    return { training, test, shape, notes: found.notes };
  } catch (error) {
    return { problem: error instanceof DataError ? error.message : 'These files cannot be read.' };
  }
}

export function lookAtFiles(): void {
  self.addEventListener('message', ({ data }: MessageEvent<OwnFilesQuestion>) => {
    void look(data).then(post);
  });
}
