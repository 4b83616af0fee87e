// Without a network: the page loads and trains as before; with one, it is never older than what the server has.
import assert from 'node:assert/strict';
import test from 'node:test';
import { DATA_FILES, keptForOffline } from './support/offline.mjs';
import { browserTest, openPage } from './support/page.mjs';

test('after one visit the page loads and trains without a network', browserTest(), async (t) => {
  const { page, server, waitFor, waitForStep, button, set } = await openPage(t);
  await waitFor({ data: 'ready' });
  await keptForOffline(page);
  assert.match(await page.locator('#offline-note').textContent(), /works without a network/);
  // Not only a browser told to be offline: there is no server any more.
  await server.close();
  await page.reload();
  await waitFor({ data: 'ready' });
  await set({ 'Sample budget': 2000 });
  await button('Start').click();
  await waitForStep(3);
  await waitFor({ phase: 'finished' });
});

test('data that is kept is not downloaded again, and broken data is replaced', browserTest(), async (t) => {
  const served = [];
  const replace = (path) => void served.push(path);
  const { page, waitFor } = await openPage(t, { server: { replace } });
  await waitFor({ data: 'ready' });
  await keptForOffline(page);
  const downloads = () => served.filter((path) => path.endsWith('.gz'));
  assert.equal(downloads().length, DATA_FILES);
  await page.reload();
  await waitFor({ data: 'ready' });
  assert.equal(downloads().length, DATA_FILES, 'a second visit downloads no data');
  // One kept file loses its end, as by a full disk; the check sum tells.
  const broken = await page.evaluate(async () => {
    const cache = await caches.open('adadagrad-data');
    const key = (await cache.keys()).find((request) => request.url.includes('train-labels'));
    const bytes = await (await cache.match(key)).arrayBuffer();
    await cache.put(key, new Response(bytes.slice(0, 5000)));
    return key.url;
  });
  await page.reload();
  await waitFor({ data: 'ready' });
  assert.deepEqual(downloads().slice(DATA_FILES), ['data/mnist/train-labels-idx1-ubyte.gz']);
  await page.waitForFunction(async (url) => (await (await caches.match(url)).arrayBuffer()).byteLength > 5000, broken);
});

test('an update is seen at the next visit, and is then what works without a network', browserTest(), async (t) => {
  let version = 1;
  const replace = (path, bytes) => {
    if (version === 1) return undefined;
    if (path === 'index.html') return Buffer.from(bytes.toString().replace('<title>', '<title>Second: '));
    // As a build with another index.html would have it.
    if (path === 'service-worker.js') return Buffer.from(bytes.toString().replace(/version:\s*[`"'][0-9a-f]{16}|"version":"[0-9a-f]{16}/, (name) => name.slice(0, -1) + (name.endsWith('0') ? '1' : '0')));
    return undefined;
  };
  const { page, context, waitFor } = await openPage(t, { server: { replace } });
  await waitFor({ data: 'ready' });
  await keptForOffline(page);
  const cacheNames = () => page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('adadagrad-page-')));
  const [first] = await cacheNames();
  await page.reload();
  assert.doesNotMatch(await page.title(), /^Second/);
  version = 2;
  await page.reload();
  assert.match(await page.title(), /^Second/, 'the document is the server’s newest');
  await page.waitForFunction(async () => (await caches.keys()).filter((name) => name.startsWith('adadagrad-page-')).length === 2);
  const second = (await cacheNames()).find((name) => name !== first);
  await page.waitForFunction(async (name) => (await caches.open(name)).match('index.html'), second);
  await waitFor({ data: 'ready' });
  await context.setOffline(true);
  await page.reload();
  assert.match(await page.title(), /^Second/);
  await waitFor({ data: 'ready' });
});

test('where nothing may be kept the page works all the same', browserTest(), async (t) => {
  const { page, waitFor, waitForStep, button } = await openPage(t, {
    prepare: (page) =>
      page.addInitScript(() => {
        ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException('refused', 'SecurityError'));
      }),
  });
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitForStep(2);
  assert.equal(await page.locator('#offline-note').textContent(), '');
});
