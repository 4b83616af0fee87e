/**
 * Keeps the page for visits without a network. The document comes from the network whenever there is one, so that an
 * update is never missed; files whose names tell their content come from the cache. The data files are kept by
 * data-cache.ts, which knows their check sums.
 */

/** Written in by vite-offline.ts: every file of this build, and a name for just this content. */
declare const __BUILD__: { version: string; files: string[] };

const scope = self as unknown as ServiceWorkerGlobalScope;
const { version, files } = __BUILD__;
const CACHE_PREFIX = 'adadagrad-page-';
const CACHE_NAME = `${CACHE_PREFIX}${version}`;
/** A network that answers later than this is treated as none, when the cache has an answer. */
const PATIENCE_MILLISECONDS = 4000;

const base = new URL('./', scope.location.href);
const ownFiles = new Set(files.map((file) => new URL(file, base).href));
const documentAddress = new URL('index.html', base).href;

scope.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE_NAME);
      // Asking the server whether its answer is still the same one: never an old copy under a new version's name.
      await cache.addAll([...ownFiles].map((address) => new Request(address, { cache: 'no-cache' })));
      await scope.skipWaiting();
    })(),
  );
});

scope.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const names = (await caches.keys()).filter((name) => name.startsWith(CACHE_PREFIX) && name !== CACHE_NAME);
      // A page that is still open may ask for a part of the version before this one.
      await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)));
      await scope.clients.claim();
    })(),
  );
});

scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== 'GET' || address.origin !== base.origin) return;
  const file = address.pathname === base.pathname ? documentAddress : address.origin + address.pathname;
  if (file.startsWith(new URL('assets/', base).href)) event.respondWith(cacheFirst(request, file));
  else if (ownFiles.has(file)) event.respondWith(networkFirst(request, file));
});

/** For files whose names change with their content. */
async function cacheFirst(request: Request, file: string): Promise<Response> {
  const kept = await caches.match(file);
  if (kept !== undefined) return kept;
  const response = await fetch(request);
  if (response.ok) await (await caches.open(CACHE_NAME)).put(file, response.clone());
  return response;
}

async function networkFirst(request: Request, file: string): Promise<Response> {
  const cache = await caches.open(CACHE_NAME);
  const fresh = fetch(request).then(async (response) => {
    if (response.ok) await cache.put(file, response.clone());
    return response;
  });
  const kept = await cache.match(file);
  if (kept === undefined) return fresh;
  // A server that is there but has no answer (502, 503) is no better than none.
  const usable = fresh.then((response) => (response.status >= 500 ? kept : response)).catch(() => kept);
  return Promise.race([usable, after(PATIENCE_MILLISECONDS).then(() => kept.clone())]);
}

function after(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
