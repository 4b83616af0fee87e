/**
 * What the browser keeps from visit to visit: runs, and the state of every run that was left. Nothing leaves it.
 *
 * A connection ends whenever the browser says so (site data cleared, another version of the page, no memory): the next
 * use opens another one, and makes anew what is not there any more.
 */

const DATABASE = 'adadagrad';
const STORES = ['runs', 'left'] as const;
export type Store = (typeof STORES)[number];

/** A browser that has not answered by then (some private windows never do) is taken to keep nothing. */
const PATIENCE_MILLISECONDS = 10_000;

let opened: Promise<IDBDatabase> | null = null;
/** Changes are made in the order in which they were asked for. */
let lastChange: Promise<unknown> = Promise.resolve();

/** Browsers can forbid it (private windows do): then every call fails, and is tried anew with the next. */
function database(): Promise<IDBDatabase> {
  if (opened !== null) return opened;
  const opening = open();
  opened = opening;
  opening.catch(() => forget(opening));
  return opening;
}

async function open(): Promise<IDBDatabase> {
  // Whatever version an earlier or a later page has made of it: what counts is that the stores are there.
  const found = await connect(undefined);
  if (STORES.every((store) => found.objectStoreNames.contains(store))) return found;
  const next = found.version + 1;
  found.close();
  return connect(next);
}

function connect(version: number | undefined): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, version);
    request.onupgradeneeded = () => {
      const { objectStoreNames } = request.result;
      for (const store of STORES) if (!objectStoreNames.contains(store)) request.result.createObjectStore(store);
    };
    request.onsuccess = () => {
      const connection = request.result;
      // Another tab wants to change or delete it.
      connection.onversionchange = () => {
        connection.close();
        opened = null;
      };
      connection.onclose = () => (opened = null);
      resolve(connection);
    };
    request.onerror = () => reject(request.error ?? new Error('unknown'));
  });
}

function forget(connection: Promise<IDBDatabase>): void {
  if (opened === connection) opened = null;
}

/** What is done with a store, and what comes of it once the transaction is complete. */
type Act<Result> = (store: IDBObjectStore) => IDBRequest<Result>;

async function perform<Result>(store: Store, mode: IDBTransactionMode, act: Act<Result>): Promise<Result> {
  const connection = database();
  let transaction: IDBTransaction;
  try {
    transaction = (await withPatience(connection)).transaction(store, mode);
  } catch (error) {
    // A connection that is closing takes no more transactions: another one may.
    forget(connection);
    if (!(error instanceof DOMException) || !['InvalidStateError', 'NotFoundError'].includes(error.name)) throw error;
    transaction = (await withPatience(database())).transaction(store, mode);
  }
  return withPatience(outcomeOf(transaction, act(transaction.objectStore(store))));
}

function outcomeOf<Result>(transaction: IDBTransaction, request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = () => reject(transaction.error ?? new Error('unknown'));
    // A transaction that finds no room is aborted.
    transaction.onabort = () => reject(transaction.error ?? new Error('unknown'));
  });
}

function withPatience<Result>(promise: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DOMException('no answer', 'TimeoutError')), PATIENCE_MILLISECONDS);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function change<Result>(store: Store, act: Act<Result>): Promise<Result> {
  const changed = lastChange.then(() => perform(store, 'readwrite', act));
  lastChange = changed.catch(() => undefined);
  return changed;
}

export async function put(store: Store, key: string, value: unknown): Promise<void> {
  await change(store, (target) => target.put(value, key));
}

/** Writes what `next` makes of the value that is there (undefined: none), with nothing in between. */
export async function update(store: Store, key: string, next: (before: unknown) => unknown): Promise<void> {
  let cause: unknown = null;
  const changing = change(store, (target) => {
    const before = target.get(key);
    before.onsuccess = () => {
      try {
        target.put(next(before.result), key);
      } catch (error) {
        cause = error;
        target.transaction.abort();
      }
    };
    return before;
  });
  await changing.catch((error: unknown) => {
    throw cause ?? error;
  });
}

export async function remove(store: Store, key: string): Promise<void> {
  await change(store, (target) => target.delete(key));
}

/** All values with their keys, in the order of the keys. */
export async function entries(store: Store): Promise<[string, unknown][]> {
  const found: [string, unknown][] = [];
  await perform<IDBCursorWithValue | null>(store, 'readonly', (target) => {
    const cursor = target.openCursor();
    cursor.onsuccess = () => {
      const { result } = cursor;
      if (result === null) return;
      found.push([String(result.key), result.value]);
      result.continue();
    };
    return cursor;
  });
  return found;
}

export function all(store: Store): Promise<unknown[]> {
  return perform<unknown[]>(store, 'readonly', (target) => target.getAll());
}

const CAUSES: Record<string, string> = {
  QuotaExceededError: 'The browser’s storage is full.',
  TimeoutError: 'The browser’s storage does not respond.',
  SecurityError: 'The browser does not allow this page to store data.',
  DataCloneError: 'It holds something that the browser cannot store.',
};

/** Why something could not be kept, in a sentence. */
export function describeStorageFailure(error: unknown): string {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  return CAUSES[name] ?? 'The browser does not allow it, as in some private windows, or its storage is broken.';
}
