// Several tabs and what the browser keeps: one entry per run, the first step kept at once, storage that goes away and comes back.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ownFiles } from './support/data-files.mjs';
import { leftIs } from './support/left-run.mjs';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { QUICK } from './support/settings.mjs';

const { BatchFit } = await loadModule('settings/fit.ts');
const SMALL = '#preset=quick&model=logistic&sample_budget=60000&evaluate_every=30000';

/** The names and steps of the runs that the browser keeps, by name. */
function keptRuns(page) {
  return page.evaluate(async () => {
    const open = indexedDB.open('adadagrad');
    await new Promise((resolve) => (open.onsuccess = resolve));
    const request = open.result.transaction('left').objectStore('left').getAll();
    await new Promise((resolve) => (request.onsuccess = resolve));
    open.result.close();
    return request.result.map(({ run, checkpoint }) => [run.name, checkpoint.step]).sort();
  });
}

function statusIs(page, wanted) {
  return page.waitForFunction((values) => {
    const { dataset } = document.getElementById('status');
    return Object.entries(values).every(([key, value]) => dataset[key] === value);
  }, wanted);
}

async function makeStep(page, step) {
  await page.getByRole('button', { name: 'Step', exact: true }).click();
  await statusIs(page, { step: String(step), phase: 'paused' });
}

async function nameRun(page, name) {
  await page.getByLabel('Name of the run').last().fill(name);
  await page.getByLabel('Name of the run').last().press('Enter');
}

test('no tab offers, overwrites or deletes the run of another', browserTest(), async (t) => {
  const { page, context, server, waitFor } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  await makeStep(page, 1);
  await nameRun(page, 'Of the first tab');
  await makeStep(page, 2);
  await leftIs(page, 2);
  const other = await context.newPage();
  await other.goto(server.address + SMALL);
  await statusIs(other, { data: 'ready' });
  await makeStep(other, 1);
  await nameRun(other, 'Of the second tab');
  await makeStep(other, 2);
  await makeStep(other, 3);
  await leftIs(other, 3);
  assert.deepEqual(await keptRuns(page), [['Of the first tab', 2], ['Of the second tab', 3]]);
  assert.equal(await other.locator('#left-run').isVisible(), false, 'it is open in the first tab');
  await other.getByRole('button', { name: 'Reset', exact: true }).click();
  await leftIs(page, 2);
  assert.deepEqual(await keptRuns(page), [['Of the first tab', 2]]);
  // A third tab offers it as soon as the first one is closed.
  const third = await context.newPage();
  await third.goto(server.address + SMALL);
  await statusIs(third, { data: 'ready' });
  assert.equal(await third.locator('#left-run').isVisible(), false);
  await page.close();
  await third.locator('#left-run').waitFor({ state: 'visible' });
  assert.match(await third.locator('#left-run-text').textContent(), /“Of the first tab” at step 2/);
  await third.getByRole('button', { name: 'Continue where you left off', exact: true }).click();
  await statusIs(third, { phase: 'running' });
});

test('the first step is kept at once; cleared site data and forbidden storage do not end that, and are told', browserTest(), async (t) => {
  const { page, context, button, waitFor, waitForStep } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  // So slow that it is still at its first step when that is looked for.
  await button('Slow motion').click();
  await button('Start').click();
  await waitForStep(1);
  await page.waitForFunction(async () => {
    const open = indexedDB.open('adadagrad');
    await new Promise((resolve) => (open.onsuccess = resolve));
    const { result } = open;
    const count = result.transaction('left').objectStore('left').count();
    await new Promise((resolve) => (count.onsuccess = resolve));
    result.close();
    return count.result === 1;
  });
  await button('Pause').click();
  await waitFor({ phase: 'paused' });
  const session = await context.newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin: new URL(page.url()).origin, storageTypes: 'indexeddb' });
  const before = Number(await page.locator('#status').getAttribute('data-step'));
  await makeStep(page, before + 1);
  await leftIs(page, before + 1);
  // Now it is forbidden, as in some private windows: every connection is refused.
  await page.evaluate(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('The user denied permission to access the database.', 'SecurityError');
    };
    IDBDatabase.prototype.transaction = () => {
      throw new DOMException('The database connection is closing.', 'InvalidStateError');
    };
  });
  await makeStep(page, before + 2);
  const note = page.locator('#keeping-note');
  await note.waitFor({ state: 'visible' });
  assert.equal(await note.textContent(), '“Run 1” is lost when this page is closed, because it cannot be kept. The browser does not allow this page to store data.');
  await makeStep(page, before + 3);
});

test('a damaged entry hides no run that was left, and a run that cannot be continued is not lost', browserTest(), async (t) => {
  const { page, button, notice, waitFor } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  await makeStep(page, 1);
  await makeStep(page, 2);
  await leftIs(page, 2);
  const change = (act) => page.evaluate(async (what) => {
    const open = indexedDB.open('adadagrad');
    await new Promise((resolve) => (open.onsuccess = resolve));
    const transaction = open.result.transaction('left', 'readwrite');
    const store = transaction.objectStore('left');
    if (what === 'add') [{ savedAt: 5n }, { savedAt: 'late', run: { id: {} } }, 5, { run: null }].forEach((value, index) => store.put(value, `damaged ${index}`));
    const cursor = store.openCursor();
    cursor.onsuccess = () => {
      const { result } = cursor;
      if (result === null) return;
      if (what === 'break' && result.value.checkpoint !== undefined) result.update({ ...result.value, checkpoint: { ...result.value.checkpoint, bytes: new Uint8Array(100) } });
      result.continue();
    };
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    open.result.close();
  }, act);
  const offered = async () => {
    await page.reload();
    await page.locator('#left-run').waitFor({ state: 'visible' });
    assert.match(await page.locator('#left-run-text').textContent(), /You left “Run 1” at step 2/);
    await waitFor({ data: 'ready' });
  };
  await change('add');
  await offered();
  await change('break');
  await offered();
  await button('Continue where you left off').click();
  await notice.waitFor({ state: 'visible' });
  assert.match(await notice.textContent(), /The run could not be continued\s+Not a valid safetensors file.*It stays saved in this browser/s);
  assert.doesNotMatch(await notice.textContent(), /Change the setting/);
  await makeStep(page, 1);
  await button('Reset').click();
  await offered();
  // As a browser that lets nobody know whether another tab has a run: then no other has.
  await page.addInitScript(() => {
    LockManager.prototype.request = LockManager.prototype.query = () => new Promise(() => undefined);
  });
  await offered();
  await button('Discard').click();
  await page.locator('#left-run').waitFor({ state: 'hidden' });
});

test('a storage that never answers holds up no run', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, {
    path: SMALL,
    prepare: async (page) => {
      await page.addInitScript(() => (IDBFactory.prototype.open = () => new EventTarget()));
      // No limit of patience is reached.
      await page.clock.install({ time: 0 });
      await page.clock.pauseAt(1000);
    },
  });
  await waitFor({ data: 'ready' });
  await makeStep(page, 1);
  await button('Half or double threshold').click();
  await page.waitForFunction(() => /^(Run \d of 3|Compared):/.test(document.getElementById('comparison-note').textContent), null, { polling: 50 });
  await page.clock.resume();
});

test('after a small data set, the batches that were asked for come back', () => {
  const fit = new BatchFit();
  const wish = { ...QUICK, max_batch: 4096, initial_batch: 8, min_batch: 2 };
  assert.equal(fit.fit(wish, 60_000), wish);
  const one = fit.fit(wish, 1);
  assert.deepEqual([one.max_batch, one.initial_batch, one.min_batch], [1, 1, 1]);
  assert.deepEqual(fit.asked(one), wish);
  // From small to less small, and with another setting changed meanwhile.
  const some = fit.fit({ ...one, seed: 9 }, 100);
  assert.deepEqual([some.max_batch, some.initial_batch, some.min_batch, some.seed], [100, 8, 2, 9]);
  assert.deepEqual(fit.fit(some, 60_000), { ...wish, seed: 9 });
  // What was asked for since is a wish of its own.
  const again = fit.fit(wish, 100);
  assert.equal(fit.fit({ ...again, max_batch: 50 }, 60_000).max_batch, 50);
  const changed = fit.fit({ ...fit.fit(wish, 100), initial_batch: 16 }, 60_000);
  assert.deepEqual([changed.max_batch, changed.initial_batch], [4096, 16]);
  fit.fit(wish, 1);
  fit.forget();
  assert.equal(fit.fit({ ...QUICK, max_batch: 1, initial_batch: 1 }, 60_000).max_batch, 1);
});

test('with one image Start says what is missing, and MNIST brings the limit back', browserTest(), async (t) => {
  const { page, button, waitFor, read } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  const largest = page.locator('#setting-max-batch');
  const asked = await largest.inputValue();
  await page.locator('#data-files').setInputFiles(ownFiles({ training: 1, test: 20 }));
  const sentence = page.locator('#sentence');
  await page.waitForFunction(() => /One training image is ready, but no run can start/.test(document.getElementById('sentence').textContent));
  assert.match(await sentence.textContent(), /needs at least two\. Choose “No test”/);
  assert.equal(await largest.inputValue(), '1');
  await page.locator('#setting-test').selectOption('none');
  await page.waitForFunction(() => /One training image is ready\. Press Start/.test(document.getElementById('sentence').textContent));
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  assert.equal((await read()).batch, 1);
  await button('Reset').click();
  await page.locator('#setting-test').selectOption('norm');
  // Two images are enough for a test, and each larger set for larger batches.
  for (const training of [2, 1, 900]) {
    await page.locator('#data-files').setInputFiles(ownFiles({ training, test: 20 }));
    await page.waitForFunction((wanted) => new RegExp(`^${wanted} training image`).test(document.getElementById('sentence').textContent), training === 1 ? 'One' : training);
    assert.equal(await largest.inputValue(), String(training));
    if (training === 1) continue;
    await button('Step').click();
    await waitFor({ step: '1', phase: 'paused' });
    assert.equal((await read()).batch, Math.min(8, training));
    await button('Reset').click();
  }
  await page.locator('#data-choice').selectOption('mnist');
  await page.waitForFunction(() => /6,000 training images are ready\. Press Start/.test(document.getElementById('sentence').textContent));
  assert.equal(await largest.inputValue(), asked);
  assert.match(await page.locator('#engine-notes').textContent(), new RegExp(`The largest batch is ${Number(asked).toLocaleString('en-US')} again`));
});
