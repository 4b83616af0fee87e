/** The page's end of the worker that looks at files of the visitor's. */
import type { OwnFilesLook, OwnFilesQuestion, OwnFilesReport } from './protocol.js';
import { startModuleWorker } from './start/module-worker.js';
import { addressFor } from './start/worker-parts.js';
import workerAddress from './worker.ts?worker&url';

/** A part of the page that has not begun by then is not coming; how long files take to be read is another matter. */
const ARRIVAL_MILLISECONDS = 30_000;
const NOT_THERE = { problem: 'These files cannot be checked, because a part of the page did not arrive. Try again, or reload the page.' };

export function lookAtOwnFiles(question: OwnFilesQuestion): Promise<OwnFilesLook> {
  return new Promise((resolve) => {
    const worker = startModuleWorker(addressFor('own-files-worker', workerAddress));
    const end = (found: OwnFilesLook): void => {
      clearTimeout(patience);
      worker.terminate();
      resolve(found);
    };
    const patience = setTimeout(() => end(NOT_THERE), ARRIVAL_MILLISECONDS);
    worker.onmessage = ({ data }: MessageEvent<OwnFilesReport>) => {
      if (data === 'begun') clearTimeout(patience);
      else end(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      end(NOT_THERE);
    };
    worker.postMessage(question);
  });
}
