// Changes while a run is under way, the way back to an earlier moment, and the run that goes on after the page was closed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { holdReports, releaseReports, reportsHeld, watchReports } from './support/answers.mjs';
import { BOTH_MNISTS } from './support/data-files.mjs';
import { hold } from './support/held.mjs';
import { leftIs } from './support/left-run.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { beforeWorker, chartsDrawn, commandAfter, tickingClock } from './support/steady.mjs';

const SMALL = '#preset=quick&model=logistic&sample_budget=60000&evaluate_every=30000&seed=2';

/** Puts a slider where it means (nearly) this value, and gives back what it then means. */
async function turn(page, id, share) {
  const slider = page.locator(`#knob-${id}`);
  await slider.fill(String(Math.round(share * 200)));
  return page.locator(`#knob-${id} ~ output`).textContent();
}

async function makeSteps({ button, waitFor, read }, count) {
  for (let step = 0; step < count; step += 1) {
    const { step: before } = await read();
    await button('Step').click();
    await waitFor({ step: String(before + 1), phase: 'paused' });
  }
}

test('the threshold, the learning rate and the largest batch take effect in the run, and are marked', browserTest(), async (t) => {
  const opened = await openPage(t, { path: SMALL });
  const { page, read, waitFor } = opened;
  await waitFor({ data: 'ready' });
  await makeSteps(opened, 3);
  const before = await read();
  const picture = () => page.evaluate(() => document.querySelector('#chart-batch canvas').toDataURL());
  await chartsDrawn(page);
  const unmarked = await picture();
  const eta = Number(await turn(page, 'threshold', 0.25));
  assert.ok(eta > 0.05 && eta < 1, `the slider says ${eta}`);
  assert.equal(await page.locator('#setting-test-eta').inputValue(), String(eta), 'the field follows the slider');
  await page.waitForFunction((text) => document.querySelector('.run-settings').textContent.includes(text), `η 1 → ${eta}`);
  await page.waitForFunction((old) => document.querySelector('#chart-batch canvas').toDataURL() !== old, unmarked);
  assert.equal(await page.locator('#settings-pending').isVisible(), false, 'the run has these settings now');
  await makeSteps(opened, 1);
  const after = await read();
  // The threshold is squared: what it is divided by says what the batch is to be.
  const table = page.locator('#chart-test details');
  await table.locator('summary').click();
  await table.locator('tbody tr').first().waitFor();
  assert.ok(after.required > 1, `the test asks for ${after.required}`);
  assert.ok(after.nextBatch >= before.nextBatch);
  const limit = Math.max(after.nextBatch, 8);
  await page.locator('#setting-max-batch').fill(String(limit));
  await page.waitForFunction((text) => document.querySelector('.run-settings').textContent.includes(text), `largest batch 4,096 → ${limit}`);
  await makeSteps(opened, 6);
  assert.ok((await read()).nextBatch <= limit, 'no batch is larger than was allowed');
  // What cannot be changed on the way counts from the next start, and that is said.
  await page.locator('#setting-seed').fill('77');
  await page.locator('#settings-pending').waitFor({ state: 'visible' });
});

test('a change in the middle gives the same run as the same change at the same step', browserTest(), async (t) => {
  const opened = await openPage(t, { path: SMALL });
  const { page, read, button, waitFor } = opened;
  await waitFor({ data: 'ready' });
  const record = async () => {
    await makeSteps(opened, 3);
    await page.locator('#setting-learning-rate').fill('0.3');
    await page.waitForFunction(() => document.querySelector('#runs-body tr:last-child .run-settings').textContent.includes('learning rate 0.02 → 0.3'));
    await makeSteps(opened, 3);
    const { loss, samplesSeen } = await read();
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
    await page.locator('#setting-learning-rate').fill('0.02');
    return { loss, samplesSeen };
  };
  const first = await record();
  assert.deepEqual(await record(), first);
  await makeSteps(opened, 6);
  assert.notEqual((await read()).loss, first.loss, 'the learning rate did nothing');
});

test('back to an earlier moment: the run waits there, and goes on as it had gone', browserTest(), async (t) => {
  const opened = await openPage(t, { path: SMALL });
  const { page, read, button, waitFor } = opened;
  await waitFor({ data: 'ready' });
  await makeSteps(opened, 5);
  const options = page.locator('#checkpoint option');
  await page.waitForFunction(() => [...document.querySelectorAll('#checkpoint option')].some(({ value }) => value === '5'));
  // Fewer than ten steps would not be kept.
  await makeSteps(opened, 10);
  const far = await read();
  assert.ok((await options.count()) >= 2);
  await page.locator('#checkpoint').selectOption('5');
  await button('Go back').click();
  await waitFor({ step: '5', phase: 'paused' });
  // What came after it stays as a run of its own.
  await page.waitForFunction(() => [...document.querySelectorAll('.run-name')].some(({ value }) => value === 'Run 1, before going back to step 5'));
  await makeSteps(opened, 10);
  assert.deepEqual(
    (({ step, loss, samplesSeen, nextBatch }) => ({ step, loss, samplesSeen, nextBatch }))(await read()),
    (({ step, loss, samplesSeen, nextBatch }) => ({ step, loss, samplesSeen, nextBatch }))(far),
    'the very same steps again',
  );
});

test('a run goes on exactly after the page was closed', browserTest(), async (t) => {
  const opened = await openPage(t, { path: SMALL });
  const { page, read, button, waitFor } = opened;
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  const whole = await read();
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  await makeSteps(opened, 5);
  await leftIs(page, 5);
  await page.reload();
  const offer = page.locator('#left-run');
  await offer.waitFor({ state: 'visible' });
  assert.match(await offer.textContent(), /You left “Run \d” at step 5: batch/);
  await waitFor({ data: 'ready' });
  await button('Continue where you left off').click();
  await waitFor({ phase: 'finished' });
  const same = async () => {
    const resumed = await read();
    for (const key of ['step', 'samplesSeen', 'loss', 'testAccuracy', 'batch']) assert.equal(resumed[key], whole[key], key);
  };
  await same();
  assert.equal(await offer.isVisible(), false);
  // The curve has its beginning too.
  await page.waitForFunction(() => /grew from 8 to/.test(document.querySelector('#chart-batch [role=img]').ariaLabel));
  // Where it was taken up is a moment to go back to.
  await page.locator('#checkpoint').selectOption('5');
  await button('Go back').click();
  await waitFor({ step: '5', phase: 'paused' });
  await button('Resume').click();
  await waitFor({ phase: 'finished' });
  await same();
  // A run that is over is not offered.
  await page.reload();
  await waitFor({ data: 'ready' });
  assert.equal(await offer.isVisible(), false);
});

test('a copy that comes after the run went back is none of it', browserTest(), async (t) => {
  const opened = await openPage(t, { path: SMALL, prepare: watchReports });
  const { page, read, button, waitFor } = opened;
  await waitFor({ data: 'ready' });
  await makeSteps(opened, 6);
  await leftIs(page, 6);
  // The copy of the end is still on its way when the run goes back.
  await holdReports(page, 'checkpoint');
  await button('Resume').click();
  await waitFor({ phase: 'finished' });
  const { loss, step, testAccuracy } = await read();
  await reportsHeld(page, 1);
  await leftIs(page, null);
  await page.evaluate(() => {
    const { put } = IDBObjectStore.prototype;
    self.keptSteps = [];
    IDBObjectStore.prototype.put = function (value, ...others) {
      if (this.name === 'left') self.keptSteps.push(value.checkpoint.step);
      return put.call(this, value, ...others);
    };
  });
  await page.locator('#checkpoint').selectOption('6');
  await button('Go back').click();
  await waitFor({ step: '6', phase: 'paused' });
  await releaseReports(page);
  await leftIs(page, 6);
  assert.deepEqual(await page.evaluate(() => self.keptSteps), [6]);
  assert.equal(await page.locator('#checkpoint option').last().getAttribute('value'), '6');
  await page.reload();
  await page.locator('#left-run').waitFor({ state: 'visible' });
  await waitFor({ data: 'ready' });
  await button('Continue where you left off').click();
  await waitFor({ phase: 'finished' });
  const end = await read();
  assert.deepEqual([end.loss, end.step, end.testAccuracy], [loss, step, testAccuracy]);
});

test('a run that was left inside of its last measurement is measured when it goes on', browserTest(), async (t) => {
  const inside = ({ type, phase, activity }) => type === 'update' && phase === 'running' && activity === 'evaluating';
  const replace = beforeWorker(tickingClock(10) + commandAfter(inside, { type: 'pause' }));
  const path = '#preset=quick&model=mlp&sample_budget=2000&evaluate_every=2000&max_batch=64';
  const { page, read, button, waitFor } = await openPage(t, { path, images: { test: 3000 }, server: { replace } });
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitFor({ phase: 'paused', activity: 'evaluating', testAccuracy: '' });
  const { step, samplesSeen } = await read();
  assert.ok(samplesSeen >= 2000);
  await leftIs(page, step);
  await page.reload();
  await page.locator('#left-run').waitFor({ state: 'visible' });
  await waitFor({ data: 'ready' });
  await button('Continue where you left off').click();
  // It pauses there again.
  await waitFor({ phase: 'paused', activity: 'evaluating', step: String(step) });
  await button('Resume').click();
  await waitFor({ phase: 'finished', step: String(step) });
  assert.ok((await read()).testAccuracy > 0.5);
});

test('a run that was left can be forgotten', browserTest(), async (t) => {
  const opened = await openPage(t, { path: SMALL });
  const { page, button, waitFor } = opened;
  await waitFor({ data: 'ready' });
  await makeSteps(opened, 3);
  await leftIs(page, 3);
  await page.reload();
  await page.locator('#left-run').waitFor({ state: 'visible' });
  await button('Discard').click();
  await page.locator('#left-run').waitFor({ state: 'hidden' });
  await leftIs(page, null);
  await page.reload();
  await waitFor({ data: 'ready' });
  assert.equal(await page.locator('#left-run').isVisible(), false);
});

test('a run on other data is gone on with on that data', browserTest(), async (t) => {
  const opened = await openPage(t, { images: { folders: BOTH_MNISTS }, path: `${SMALL}&dataset=fashion_mnist` });
  const { page, read, button, waitFor } = opened;
  await page.waitForFunction(() => ['ready', 'unusable'].includes(document.getElementById('status').dataset.data));
  // Only Debian and its like have its package.
  if ((await read()).data !== 'ready' && process.env.REQUIRE_DATA !== '1') return t.skip('Fashion-MNIST is not packed beside this page');
  await makeSteps(opened, 4);
  await leftIs(page, 4);
  await page.goto('about:blank');
  await page.goto(`${opened.server.address}${SMALL}`);
  const offer = page.locator('#left-run');
  await offer.waitFor({ state: 'visible' });
  assert.match(await offer.textContent(), /on Fashion-MNIST at step 4/);
  await button('Continue where you left off').click();
  await waitFor({ phase: 'finished' });
  assert.equal(await page.locator('#data-choice').inputValue(), 'fashion_mnist');
});

test('a press on Continue counts before the module is here', browserTest(), async (t) => {
  let held = null;
  const opened = await openPage(t, { path: SMALL, server: { replace: (path, bytes) => held?.replace(path, bytes) } });
  const { page, read, button, waitFor } = opened;
  await waitFor({ data: 'ready' });
  await makeSteps(opened, 4);
  await leftIs(page, 4);
  held = hold(/\.wasm$/);
  await page.goto('about:blank');
  await page.goto(`${opened.server.address}${SMALL}`);
  await held.asked(1);
  await button('Continue where you left off').click();
  held.release();
  await waitFor({ phase: 'finished' });
  assert.ok((await read()).step > 4);
});

test('after a breakdown the run goes on from its last checkpoint', browserTest(), async (t) => {
  const opened = await openPage(t, { path: SMALL, expectedComplaints: /broken on purpose/ });
  const { page, button, waitFor, read } = opened;
  await waitFor({ data: 'ready' });
  await makeSteps(opened, 6);
  await leftIs(page, 6);
  await page.workers()[0].evaluate(() => setTimeout(() => { throw new Error('broken on purpose'); }, 0));
  await page.locator('#notice').waitFor({ state: 'visible' });
  await button('Try again').click();
  await waitFor({ data: 'ready', phase: 'idle' });
  await button('Continue where you left off').click();
  await waitFor({ phase: 'finished' });
  assert.ok((await read()).step > 6);
});

test('a run whose loss became no number goes back to a moment before it', browserTest(), async (t) => {
  const opened = await openPage(t, { path: '#preset=quick&model=mlp&optimizer=sgd&sample_budget=60000&evaluate_every=30000' });
  const { page, read, button, waitFor, notice } = opened;
  await waitFor({ data: 'ready' });
  await makeSteps(opened, 4);
  await page.waitForFunction(() => [...document.querySelectorAll('#checkpoint option')].some(({ value }) => value === '4'));
  await page.locator('#setting-learning-rate').fill('1e30');
  await page.waitForFunction(() => document.querySelector('.run-settings').textContent.includes('1e+30'));
  await button('Resume').click();
  await notice.waitFor({ state: 'visible' });
  assert.match(await notice.textContent(), /or go back to an earlier step/);
  await page.locator('#setting-learning-rate').fill('0.05');
  await page.locator('#checkpoint').selectOption('4');
  await button('Go back').click();
  await waitFor({ step: '4', phase: 'paused' });
  await notice.waitFor({ state: 'hidden' });
  await makeSteps(opened, 3);
  assert.ok(Number.isFinite((await read()).loss));
});
