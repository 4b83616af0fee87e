/** What the browser keeps from visit to visit: runs, and the state of the run that was left. Nothing leaves it. */

const DATABASE = 'adadagrad';
const VERSION = 1;
const STORES = ['runs', 'left'] as const;
export type Store = (typeof STORES)[number];

let opened: Promise<IDBDatabase> | null = null;

/** Browsers can forbid it (private windows do): then every call fails, and says so. */
function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION);
    request.onupgradeneeded = () => {
      for (const store of STORES) request.result.createObjectStore(store);
    };
    request.onsuccess = () => {
      // Another tab with a newer page may need another version.
      request.result.onversionchange = () => request.result.close();
      resolve(request.result);
    };
    request.onerror = () => reject(request.error ?? new Error('unknown'));
    request.onblocked = () => reject(new Error('another tab of this page is in the way'));
  });
  return opened;
}

async function perform<Result>(store: Store, mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<Result>): Promise<Result> {
  const transaction = (await database()).transaction(store, mode);
  const request = act(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error ?? new Error('unknown'));
    // A transaction that finds no room is aborted.
    transaction.onabort = () => reject(transaction.error ?? new Error('unknown'));
  });
}

export async function put(store: Store, key: string, value: unknown): Promise<void> {
  await perform(store, 'readwrite', (target) => target.put(value, key));
}

export async function remove(store: Store, key: string): Promise<void> {
  await perform(store, 'readwrite', (target) => target.delete(key));
}

export function get(store: Store, key: string): Promise<unknown> {
  return perform<unknown>(store, 'readonly', (target) => target.get(key));
}

export function all(store: Store): Promise<unknown[]> {
  return perform<unknown[]>(store, 'readonly', (target) => target.getAll());
}

/** Why something could not be kept, in a sentence. */
export function describeStorageFailure(error: unknown): string {
  if (error instanceof DOMException && error.name === 'QuotaExceededError') return 'The browser has no more room for it.';
  const detail = error instanceof Error ? error.message : String(error);
  return `The browser does not allow it (${detail}).`;
}
