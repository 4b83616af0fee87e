// When something fails there is a message in words and, where there is one, a way on.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { browserTest, openPage } from './support/page.mjs';
import { afterReport, beforeWorker } from './support/steady.mjs';

const TRAIN_IMAGES = 'data/mnist/train-images-idx3-ubyte.gz';

const brokenData = {
  'is missing': { path: TRAIN_IMAGES, change: () => null, message: /train-images-idx3-ubyte.*missing/ },
  'has flipped bytes': { path: TRAIN_IMAGES, change: flip, message: /train-images-idx3-ubyte.*broken/ },
  'is truncated': { path: TRAIN_IMAGES, change: (bytes) => bytes.subarray(0, bytes.length / 2), message: /train-images-idx3-ubyte.*broken/ },
  'is empty': { path: TRAIN_IMAGES, change: () => Buffer.alloc(0), message: /train-images-idx3-ubyte.*broken/ },
  'is another file of the right form': {
    path: 'data/mnist/t10k-labels-idx1-ubyte.gz',
    change: (bytes) => flipStored(bytes),
    message: /t10k-labels-idx1-ubyte.*broken.*checksum/,
  },
  'is in no list': { path: 'data/mnist/manifest.json', change: () => null, message: /manifest\.json.*missing/ },
};

for (const [fault, { path, change, message }] of Object.entries(brokenData)) {
  test(`a data file that ${fault} gives a message`, browserTest(), async (t) => {
    let broken = true;
    const { notice, button, waitFor, waitForStep } = await openPage(t, {
      expectedComplaints: /404/,
      server: { replace: (requested, bytes) => (broken && requested === path ? change(bytes) : undefined) },
    });
    await notice.waitFor({ state: 'visible' });
    const text = await notice.textContent();
    assert.match(text, /The training data cannot be used/);
    assert.match(text, message);
    assert.equal(await button('Start').getAttribute('aria-disabled'), 'true');
    await waitFor({ data: 'unusable' });
    // When the server is mended, the page can go on without being loaded again.
    broken = false;
    await button('Try again').click();
    await waitFor({ data: 'ready' });
    assert.equal(await notice.isVisible(), false);
    await button('Start').click();
    await waitForStep(1);
  });
}

/** Damages the compressed bytes in many places. */
function flip(bytes) {
  const damaged = Buffer.from(bytes);
  for (let index = 1000; index < damaged.length; index += 5000) damaged[index] ^= 0xff;
  return damaged;
}

/** A file that decompresses well to the right length but holds other labels: only the checksum can tell. */
function flipStored(bytes) {
  const plain = gunzipSync(bytes);
  plain[100] = (plain[100] + 1) % 10;
  return gzipSync(plain);
}

test('a connection that fails is not the fault of the site, and the data come as soon as there is one', browserTest(), async (t) => {
  let fails = true;
  const { page, notice, waitFor } = await openPage(t, {
    expectedComplaints: /ERR_CONNECTION_RESET/,
    prepare: (page) => page.context().route(/\.gz$/, (route) => (fails ? route.abort('connectionreset') : route.continue())),
  });
  await notice.waitFor({ state: 'visible' });
  const text = await notice.textContent();
  assert.match(text, /could not be downloaded: the server did not answer\. Check the connection/);
  assert.doesNotMatch(text, /operator|in your browser/);
  fails = false;
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await waitFor({ data: 'ready' });
  assert.equal(await notice.isVisible(), false);
});

test('a web page in the place of the data is no fault of the site, and the data come once they are there', browserTest(), async (t) => {
  let signedIn = false;
  const body = '<!doctype html><title>Sign in</title>';
  for (const file of [/manifest\.json$/, /\.gz$/]) {
    signedIn = false;
    const opened = await openPage(t, {
      prepare: (page) => page.context().route(file, (route) => (signedIn ? route.continue() : route.fulfill({ contentType: 'text/html; charset=utf-8', body }))),
    });
    await opened.notice.waitFor({ state: 'visible' });
    const text = await opened.notice.textContent();
    assert.match(text, /A web page arrived instead of .*sign in.*Check the connection, then try again/s);
    assert.doesNotMatch(text, /operator/);
    signedIn = true;
    await opened.button('Try again').click();
    await opened.waitFor({ data: 'ready' });
  }
});

test('a loss that is no number stops the run, which can be begun again', browserTest(), async (t) => {
  const { page, notice, read, button, waitFor, waitForStep, set } = await openPage(t);
  await waitFor({ data: 'ready' });
  await set({ Optimizer: 'SGD', 'Learning rate': '1e30' });
  await button('Start').click();
  await notice.waitFor({ state: 'visible' });
  const text = await notice.textContent();
  assert.match(text, /The run has stopped/);
  assert.match(text, /Lower the learning rate/);
  assert.equal((await read()).phase, 'failed');
  await set({ 'Learning rate': '0.05' });
  await button('Reset').click();
  await waitFor({ phase: 'idle', step: '0' });
  assert.equal(await notice.isVisible(), false);
  await button('Start').click();
  await waitForStep(5);
  assert.ok(Number.isFinite((await read()).loss));
  assert.equal(await page.locator('#notice').isVisible(), false);
});

test('a worker that cannot be loaded gives a message', browserTest(), async (t) => {
  const { notice } = await openPage(t, {
    expectedComplaints: /404|MIME type/,
    server: { replace: (path) => (/worker.*\.js$/.test(path) ? null : undefined) },
  });
  await notice.waitFor({ state: 'visible' });
  const text = await notice.textContent();
  assert.match(text, /training (worker|program).*stopped/i);
  // As in a tab that was opened before an update.
  assert.match(text, /Reload the page/);
  assert.doesNotMatch(text, /memory/);
});

test('a worker that breaks down during training gives a message, and can be loaded again', browserTest(), async (t) => {
  let breaks = true;
  const breakAfter = beforeWorker(afterReport(({ type, steps }) => type === 'update' && steps.length > 0, `() => setTimeout(() => { throw new Error('broken on purpose'); })`));
  const { notice, button, read, waitFor, waitForStep } = await openPage(t, {
    expectedComplaints: /broken on purpose/,
    server: {
      replace: (path, bytes) => (breaks ? breakAfter(path, bytes) : undefined),
    },
  });
  await button('Start').click();
  await notice.waitFor({ state: 'visible' });
  assert.match(await notice.textContent(), /stopped unexpectedly.*broken on purpose/);
  assert.equal((await read()).phase, 'failed');
  breaks = false;
  await button('Try again').click();
  await waitFor({ data: 'ready', phase: 'idle' });
  await button('Start').click();
  await waitForStep(2);
});

test('a wasm module that is broken gives a message', browserTest(), async (t) => {
  const { notice, button } = await openPage(t, {
    expectedComplaints: /wasm|WebAssembly/i,
    server: { replace: (path, bytes) => (path.endsWith('.wasm') ? bytes.subarray(0, bytes.length / 2) : undefined) },
  });
  await notice.waitFor({ state: 'visible' });
  assert.match(await notice.textContent(), /training program could not be loaded/);
  assert.equal(await button('Start').getAttribute('aria-disabled'), 'true');
});

const missingFeatures = {
  'WebAssembly SIMD': () => (WebAssembly.validate = () => false),
  'Web Workers': () => delete globalThis.Worker,
  DecompressionStream: () => delete globalThis.DecompressionStream,
};

for (const [feature, remove] of Object.entries(missingFeatures)) {
  test(`a browser without ${feature} gets a sentence`, browserTest(), async (t) => {
    const { page, notice, button, requests } = await openPage(t, { prepare: (page) => page.addInitScript(remove) });
    await notice.waitFor({ state: 'visible' });
    assert.match(await notice.textContent(), new RegExp(`This browser .*${feature}`));
    assert.equal(await button('Start').getAttribute('aria-disabled'), 'true');
    assert.ok((await page.locator('h1').textContent()).length > 10, 'the page itself is there');
    assert.deepEqual(requests.filter((address) => address.endsWith('.gz')), [], 'nothing is downloaded in vain');
  });
}
