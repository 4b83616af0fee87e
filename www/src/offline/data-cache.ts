/**
 * Keeps data files between visits, so that they are downloaded once and the page works without a network. Only files
 * whose check sum was right are kept, under a name that contains it. Where the browser keeps nothing (no secure
 * context, storage refused), nothing is kept and nothing fails.
 */

/** Copies of the page on one origin share it: a file's name there begins with its whole address. */
const CACHE_NAME = 'adadagrad-data';

export interface DataFile {
  address: string;
  sha256: string;
}

/** The file as it was kept, or null. */
export async function recall(file: DataFile): Promise<Response | null> {
  return withCache(null, async (cache) => (await cache.match(keyOf(file))) ?? null);
}

/** Keeps a file instead of any other version of it. */
export async function keep(file: DataFile, response: Response): Promise<void> {
  await withCache(undefined, async (cache) => {
    await cache.delete(file.address, { ignoreSearch: true });
    await cache.put(keyOf(file), response);
  });
}

export async function forget(file: DataFile): Promise<void> {
  await withCache(undefined, async (cache) => {
    await cache.delete(keyOf(file));
  });
}

function keyOf({ address, sha256 }: DataFile): string {
  return `${address}?sha256=${sha256}`;
}

/** A browser that has not answered by then is taken to keep nothing. */
const PATIENCE_MILLISECONDS = 3000;

async function withCache<Result>(otherwise: Result, use: (cache: Cache) => Promise<Result>): Promise<Result> {
  const silence = new Promise<Result>((resolve) => setTimeout(() => resolve(otherwise), PATIENCE_MILLISECONDS));
  try {
    const storage = (globalThis as { caches?: CacheStorage | null }).caches ?? null;
    if (storage === null) return otherwise;
    return await Promise.race([storage.open(CACHE_NAME).then(use), silence]);
  } catch {
    // Storage may be full or refused: then the network has to do.
    return otherwise;
  }
}
