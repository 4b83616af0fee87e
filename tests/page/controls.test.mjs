// Pause, resume, step, reset, the settings and their mistakes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { ALL_IMAGES, browserTest, openPage } from './support/page.mjs';
import { turns } from './support/steady.mjs';

/** Measuring accuracy is not what is tested here. */
const FEW_TEST_IMAGES = { images: { test: 500 } };

/** Presses the button with this id as soon as the page says that a step is under way, and waits for another phase. */
function pressInside(page, id) {
  return page.evaluate(async (button) => {
    const status = document.getElementById('status');
    const is = (wanted) =>
      new Promise((resolve) => {
        const look = () => wanted() && (observer.disconnect(), resolve());
        const observer = new MutationObserver(look);
        observer.observe(status, { attributes: true });
        look();
      });
    await is(() => Number(status.dataset.done) > 0);
    document.getElementById(button).click();
    await is(() => status.dataset.phase !== 'running');
  }, id);
}

test('pause answers inside a big step, and resume goes on where it stopped', browserTest(), async (t) => {
  const { page, read, button, waitFor, set } = await openPage(t);
  await waitFor({ data: 'ready' });
  await set({ 'Largest batch': 6000, 'Initial batch': 6000, 'Sample budget': 60000 });
  await button('Start').click();
  await pressInside(page, 'main-button');
  const paused = await read();
  assert.equal(paused.phase, 'paused');
  assert.equal(paused.step, 0);
  assert.ok(paused.done > 0 && paused.done < paused.total, `not inside a step: ${paused.done} of ${paused.total}`);
  await turns(page);
  assert.deepEqual((await read()).done, paused.done, 'work went on during the pause');
  await button('Resume').click();
  await page.waitForFunction((done) => Number(document.getElementById('status').dataset.done) > done, paused.done);
  assert.equal((await read()).phase, 'running');
});

test('step makes exactly one step', browserTest(), async (t) => {
  const { page, read, button, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  for (const step of [1, 2, 3]) {
    await button('Step').click();
    await waitFor({ step: String(step), phase: 'paused' });
    await turns(page);
    assert.equal((await read()).step, step);
  }
  await button('Resume').click();
  await page.waitForFunction(() => Number(document.getElementById('status').dataset.step) > 4);
});

test('reset returns to step 0, and the same seed gives the very same run', browserTest(), async (t) => {
  const { read, button, waitFor, set } = await openPage(t);
  await waitFor({ data: 'ready' });
  const record = async (steps) => {
    const seen = [];
    for (let step = 1; step <= steps; step += 1) {
      await button('Step').click();
      await waitFor({ step: String(step), phase: 'paused' });
      const { batch, nextBatch, samplesSeen, loss, required } = await read();
      seen.push({ batch, nextBatch, samplesSeen, loss, required });
    }
    return seen;
  };
  const reset = async () => {
    await button('Reset').click();
    await waitFor({ phase: 'idle', step: '0', samplesSeen: '0' });
  };
  const first = await record(6);
  await reset();
  assert.deepEqual(await record(6), first);
  assert.ok(first.every(({ loss }) => Number.isFinite(loss) && loss > 0));
  // Another seed must give another run, or the comparison above says nothing.
  await reset();
  await set({ Seed: 1 });
  assert.notDeepEqual(await record(6), first);
});

test('reset works while a step is under way', browserTest(), async (t) => {
  const { page, button, waitFor, set, read } = await openPage(t);
  await waitFor({ data: 'ready' });
  await set({ 'Largest batch': 6000, 'Initial batch': 6000, 'Sample budget': 60000 });
  await button('Start').click();
  await pressInside(page, 'reset-button');
  await waitFor({ phase: 'idle', step: '0' });
  await turns(page);
  assert.equal((await read()).phase, 'idle');
  await set({ 'Initial batch': 8 });
  await button('Start').click();
  await waitFor({ phase: 'running' });
  await page.waitForFunction(() => Number(document.getElementById('status').dataset.step) >= 3);
});

test('a run ends at its budget and can be started again', browserTest(), async (t) => {
  const { button, waitFor, set, read } = await openPage(t, FEW_TEST_IMAGES);
  await waitFor({ data: 'ready' });
  await set({ 'Sample budget': 400 });
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  const finished = await read();
  assert.ok(finished.samplesSeen >= 400);
  assert.ok(finished.testAccuracy !== null, 'accuracy is measured at the end');
  await button('Start again').click();
  // The page says at once that a run has begun, so that this is the end of the second.
  await waitFor({ phase: 'finished' });
  assert.deepEqual((await read()).loss, finished.loss);
});

test('Start can be pressed while the data is still on its way', browserTest(), async (t) => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const { page, button, waitForStep } = await openPage(t, {
    prepare: (page) => page.route('**/train-labels-idx1-ubyte.gz', async (route) => (await held, route.continue())),
  });
  await button('Start').click();
  await page.getByText('Training starts as soon as the data is loaded.').waitFor();
  release();
  await waitForStep(1);
});

test('settings are checked in words, and presets set them all', browserTest(), async (t) => {
  const { page, button, waitFor, set } = await openPage(t, { images: ALL_IMAGES });
  await waitFor({ data: 'ready' });
  const problem = page.locator('#settings-problem');
  await set({ 'Initial batch': 1 });
  await problem.waitFor({ state: 'visible' });
  assert.match(await problem.textContent(), /^Initial batch is 1, but must be from 2 to [\d,]+/);
  assert.equal(await page.getByLabel('Initial batch', { exact: true }).getAttribute('aria-invalid'), 'true');
  assert.match(await page.locator('#mistake-initial-batch').textContent(), /Initial batch is 1/);
  assert.equal(await button('Start').getAttribute('aria-disabled'), 'true');
  await set({ 'Initial batch': 8 });
  await problem.waitFor({ state: 'hidden' });
  await set({ 'Learning rate': '0,02' });
  await page.getByText('This is not a number').waitFor();
  assert.equal(await button('Start').getAttribute('aria-disabled'), 'true');

  const preset = page.getByLabel('Preset', { exact: true });
  await preset.selectOption('paper-cnn');
  await problem.waitFor({ state: 'hidden' });
  assert.equal(await page.locator('#setting-learning-rate').inputValue(), '0.008');
  assert.equal(await page.locator('#setting-max-batch').inputValue(), '60000');
  assert.equal(await page.getByLabel('Growth cap', { exact: true }).inputValue(), '');
  await set({ Seed: 7 });
  assert.equal(await preset.inputValue(), '', 'changed settings are no preset any more');
});

test('every optimizer and every test makes steps', browserTest(), async (t) => {
  const { page, button, waitFor, set } = await openPage(t);
  await waitFor({ data: 'ready' });
  await set({ Model: await page.locator('#setting-model option[value=logistic]').textContent() });
  const makeTwoSteps = async (what) => {
    assert.equal(await page.locator('#settings-problem').isVisible(), false, `${what}: ${await page.locator('#settings-problem').textContent()}`);
    await button('Step').click();
    await waitFor({ step: '1', phase: 'paused' });
    await button('Step').click();
    await waitFor({ step: '2', phase: 'paused' });
    assert.equal(await page.locator('#notice').isVisible(), false, `${what}: ${await page.locator('#notice').textContent()}`);
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
  };
  const optimizers = await page.locator('#setting-optimizer option').allTextContents();
  const tests = await page.locator('#setting-test option').allTextContents();
  assert.equal(optimizers.length, 9);
  assert.equal(tests.length, 7);
  for (const optimizer of optimizers) {
    await set({ Optimizer: optimizer });
    await makeTwoSteps(optimizer);
  }
  for (const name of tests) {
    await set({ Test: name });
    await makeTwoSteps(name);
  }
});

test('the engine is named with its reason, its memory and its pace', browserTest(), async (t) => {
  const { page, button, waitFor, set } = await openPage(t, FEW_TEST_IMAGES);
  await waitFor({ data: 'ready' });
  await set({ 'Sample budget': 400 });
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  const line = page.locator('#engine');
  await page.waitForFunction(() => /The last step took [\d.,]+ ms/.test(document.getElementById('engine').textContent));
  assert.match(await line.textContent(), /Runs on the CPU.*MB of memory\. The last step took .* ms( at [\d,]+ samples per second)?\. Auto chose the CPU\./);
});
