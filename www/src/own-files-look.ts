/** The page's end of the worker that looks at files of the visitor's. */
import type { OwnFilesLook } from './protocol.js';
import workerAddress from './own-files-worker.ts?worker&url';
import { startModuleWorker } from './start/module-worker.js';

export function lookAtOwnFiles(files: readonly File[]): Promise<OwnFilesLook> {
  return new Promise((resolve) => {
    const worker = startModuleWorker(workerAddress);
    const end = (found: OwnFilesLook): void => {
      worker.terminate();
      resolve(found);
    };
    worker.onmessage = ({ data }: MessageEvent<OwnFilesLook>) => end(data);
    worker.onerror = (event) => {
      event.preventDefault();
      end({ problem: 'These files cannot be checked, because a part of the page did not arrive: reload it.' });
    };
    worker.postMessage(files);
  });
}
