/** Starts a worker, or says in words why there can be none. */

/** The browser, not the site or the network, is why nothing can be trained. */
export class UnsupportedError extends Error {}

export function startModuleWorker(address: string): Worker {
  let knowsModules = false;
  // A browser without module workers does not look at the type.
  const options = {
    get type(): 'module' {
      knowsModules = true;
      return 'module';
    },
  };
  let worker: Worker | null = null;
  try {
    worker = new Worker(address, options);
  } catch (error) {
    if (knowsModules) throw error;
  }
  if (worker !== null && knowsModules) return worker;
  worker?.terminate();
  throw new UnsupportedError('This browser has no module workers, which training requires. A current Firefox (114 or later), Chrome, Edge or Safari has them.');
}
