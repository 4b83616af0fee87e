/**
 * Keeps the page for visits without a network, one whole version at a time. A version is installed when every one of its
 * files is here and has been checked; until then, and whatever the server has half of, the one before it runs. Each
 * serves its own document and files from its own cache, and never changes it. The data files are kept by data-cache.ts,
 * which knows their check sums.
 */
import type { OtherVersionsMayGo } from './messages.js';
import { isDocumentOf } from './version.js';

/** Written in by vite-offline.ts: the files of this build with the SHA-256 of each, and a name for just this content. */
declare const __BUILD__: { version: string; files: Record<string, string> };

const scope = self as unknown as ServiceWorkerGlobalScope;
const { version, files } = __BUILD__;

const base = new URL('./', scope.location.href);
const DOCUMENT = 'index.html';
/** Other copies of the page may lie on the same origin: what is theirs is left alone. */
const CACHE_PREFIX = `adadagrad-page ${base.pathname} `;
const CACHE_NAME = CACHE_PREFIX + version;

scope.addEventListener('install', (event) => {
  event.waitUntil(install());
});

scope.addEventListener('activate', (event) => {
  event.waitUntil(scope.clients.claim());
});

scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== 'GET' || address.origin !== base.origin || !address.pathname.startsWith(base.pathname)) return;
  const file = address.pathname.slice(base.pathname.length) || DOCUMENT;
  if (file in files) event.respondWith(keptOr(request, file, [CACHE_NAME]));
  // A page of an earlier version is still open, and asks for one of its parts.
  else if (file.startsWith('assets/')) event.respondWith(ownCaches().then((names) => keptOr(request, file, names)));
});

scope.addEventListener('message', (event) => {
  const { type, script } = event.data as OtherVersionsMayGo;
  // The page that says so must be of this version itself.
  if (type === 'other-versions-may-go' && script in files) event.waitUntil(forgetOthers());
});

/** Rejects, and leaves nothing behind, unless all of this version is here. */
async function install(): Promise<void> {
  const before = await ownCaches();
  try {
    const cache = await caches.open(CACHE_NAME);
    await Promise.all(Object.entries(files).map(async ([file, sha256]) => cache.put(addressOf(file), await obtain(file, sha256, before))));
    const kept = await (await caches.open(CACHE_NAME)).keys();
    if (kept.length !== Object.keys(files).length) throw new Error('the cache was deleted meanwhile');
  } catch (error) {
    if (!before.includes(CACHE_NAME)) await caches.delete(CACHE_NAME);
    throw error;
  }
  await scope.skipWaiting();
}

/** What an earlier version has in common with this one is not downloaded again. */
async function obtain(file: string, sha256: string, names: string[]): Promise<Response> {
  const kept = await findKept(file, names);
  if (kept !== undefined) {
    const bytes = await kept.clone().arrayBuffer();
    if ((await sumOf(bytes)) === sha256) return kept;
  }
  // Asking the server whether its answer is still the same one: never an old copy under a new version's name.
  const response = await fetch(addressOf(file), { cache: 'no-cache' });
  if (!response.ok) throw new Error(`${file}: the server answered ${response.status}`);
  const bytes = await response.arrayBuffer();
  const isRight = file === DOCUMENT ? isDocumentOf(new TextDecoder().decode(bytes), files) : (await sumOf(bytes)) === sha256;
  if (!isRight) throw new Error(`${file} is not, or not yet, the one of this version`);
  // A new answer: one that came by way of a redirection could not be a document.
  const headers = new Headers(response.headers);
  // They told of the bytes as they were sent.
  for (const name of ['content-encoding', 'content-length']) headers.delete(name);
  return new Response(bytes, { headers });
}

async function keptOr(request: Request, file: string, names: string[]): Promise<Response> {
  return (await findKept(file, names)) ?? fetch(request);
}

/** Storage can fail at any time: then there is the network. */
async function findKept(file: string, names: string[]): Promise<Response | undefined> {
  for (const name of names) {
    const kept = await caches.open(name).then((cache) => cache.match(addressOf(file))).catch(() => undefined);
    if (kept !== undefined) return kept;
  }
  return undefined;
}

/** Once no page of another version is open. */
async function forgetOthers(): Promise<void> {
  const pages = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true });
  if (scope.registration.installing !== null || scope.registration.waiting !== null) return;
  if (pages.filter(({ url }) => url.startsWith(base.href)).length > 1) return;
  const others = (await ownCaches()).filter((name) => name !== CACHE_NAME);
  await Promise.all(others.map((name) => caches.delete(name)));
}

async function ownCaches(): Promise<string[]> {
  return (await caches.keys()).filter((name) => name.startsWith(CACHE_PREFIX));
}

function addressOf(file: string): string {
  return new URL(file, base).href;
}

async function sumOf(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
