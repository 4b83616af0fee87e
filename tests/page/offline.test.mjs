// Without a network: the page loads and trains as before; an update takes its place whole, or not at all.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { secondVersion, update } from './support/deployment.mjs';
import { DATA_FILES, keptForOffline } from './support/offline.mjs';
import { browserTest, openPage, pageFolder } from './support/page.mjs';
import { FEW, smallData } from './support/small-data.mjs';

test('after one visit the page loads and trains without a network', browserTest(), async (t) => {
  const { page, server, waitFor, waitForStep, button, set } = await openPage(t, { offline: true });
  await waitFor({ data: 'ready' });
  await keptForOffline(page);
  assert.match(await page.locator('#offline-note').textContent(), /works (offline|without a network)/);
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
  const { page, waitFor } = await openPage(t, { offline: true, server: { replace } });
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
    await cache.put(key, new Response(bytes.slice(0, 1000)));
    return key.url;
  });
  await page.reload();
  await waitFor({ data: 'ready' });
  assert.deepEqual(downloads().slice(DATA_FILES), ['data/mnist/train-labels-idx1-ubyte.gz']);
  await page.waitForFunction(async (url) => (await (await caches.match(url)).arrayBuffer()).byteLength > 1000, broken);
});

test('an update shows itself once all of it is here; until then, and without a network, the old version runs', browserTest(), async (t) => {
  const second = secondVersion(pageFolder, smallData(FEW));
  const mainScript = [...second.keys()].find((path) => path.endsWith('index-SECOND.js'));
  /** What the server has by now: path to bytes, null where there is nothing. */
  let deployed = new Map();
  const replace = (path, bytes) => (deployed.has(path) ? deployed.get(path) : bytes);
  const { page, context, waitFor, button } = await openPage(t, { offline: true, server: { replace }, expectedComplaints: /404|bad HTTP response|ERR_INTERNET_DISCONNECTED|service worker/i });
  await waitFor({ data: 'ready' });
  await keptForOffline(page);
  const visit = async (title, why) => {
    for (const offline of [false, true]) {
      await context.setOffline(offline);
      await page.reload();
      assert.match(await page.title(), title, `${why}${offline ? ', without a network' : ''}`);
    }
    await waitFor({ data: 'ready' });
    await context.setOffline(false);
    // What this visit asked for has ended before the server has anything else.
    await update(page);
  };
  const html = second.get('index.html');
  const halves = {
    'only the document': new Map([['index.html', html]]),
    'a document that comes later': without(second, 'index.html'),
    'a script that is missing': without(second, mainScript),
    'a script that is cut off': new Map([...second, [mainScript, second.get(mainScript).subarray(0, 1000)]]),
    'a document that is cut off': new Map([...second, ['index.html', html.subarray(0, html.length / 2)]]),
    'the sign-in page of a network': new Map([...second.keys()].map((path) => [path, Buffer.from('<!doctype html><title>Second: sign in</title></html>')])),
    'the sign-in page in the place of the files': new Map([...second].map(([path, bytes]) => [path, path === 'service-worker.js' ? bytes : Buffer.from('<title>Second: sign in</title></html>')])),
    'nothing': new Map([...second.keys(), 'index.html'].map((path) => [path, null])),
  };
  for (const [half, has] of Object.entries(halves)) {
    deployed = has;
    assert.notEqual(await update(page), 'activated', half);
    await visit(/^AdAdaGrad/, half);
    assert.equal(await page.locator('#update').isVisible(), false, half);
  }
  // All of it.
  deployed = second;
  assert.equal(await update(page), 'activated');
  await page.locator('#update').waitFor();
  assert.match(await page.title(), /^AdAdaGrad/, 'the old version runs on');
  // Its own parts are gone from the server, and are still here.
  for (const path of first(second)) deployed.set(path, null);
  await button('Start').click();
  await page.waitForFunction(() => Number(document.getElementById('status').dataset.step) > 0);
  assert.equal(await page.locator('#engine-notes').textContent(), '', 'the team is there');
  await button('Reload the page').click();
  await page.waitForFunction(() => document.title.startsWith('Second'));
  await waitFor({ data: 'ready' });
  await page.waitForFunction(async () => (await caches.keys()).filter((name) => name.startsWith('adadagrad-page')).length === 1);
  await visit(/^Second/, 'the second version');
});

test('copies of the page on one origin leave each other alone', browserTest(), async (t) => {
  const second = secondVersion(pageFolder, smallData(FEW));
  let deployed = new Map();
  const replace = (path, bytes) => (path.startsWith('preview/') ? deployed.get(path.slice('preview/'.length)) ?? bytes : undefined);
  const { page, context, server, waitFor } = await openPage(t, { offline: true, server: { replace, copies: ['preview/'] } });
  await waitFor({ data: 'ready' });
  await keptForOffline(page);
  const preview = `${server.address}preview/`;
  await page.goto(preview);
  await waitFor({ data: 'ready' });
  await keptForOffline(page, 2);
  deployed = second;
  assert.equal(await update(page), 'activated');
  await page.reload();
  await waitFor({ data: 'ready' });
  await page.waitForFunction(async () => (await caches.keys()).filter((name) => name.startsWith('adadagrad-page')).length === 2);
  await context.setOffline(true);
  for (const [address, title] of [[server.address, /^AdAdaGrad/], [preview, /^Second/]]) {
    await page.goto(address);
    assert.match(await page.title(), title);
    await waitFor({ data: 'ready' });
  }
});

function without(version, path) {
  return new Map([...version].filter(([name]) => name !== path));
}

/** The scripts that only the version before it has. */
function first(second) {
  return readdirSync(join(pageFolder, 'assets')).map((name) => `assets/${name}`).filter((path) => !second.has(path));
}

test('where nothing may be kept the page works all the same', browserTest(), async (t) => {
  const { page, waitFor, waitForStep, button } = await openPage(t, {
    offline: true,
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
