// What a visitor does first and most, as every engine must let them: the tests of firefox.test.mjs and webkit.test.mjs. Chromium has whole files for each part.
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { MNIST, ownFiles, SHAKESPEARE } from './data-files.mjs';
import { visit } from './engines/visit.mjs';
import { leftIs } from './left-run.mjs';
import { testIn } from './page.mjs';

const SMALL = '#preset=quick&model=logistic&sample_budget=12000&evaluate_every=6000&seed=2';
const COMPARED = '#preset=quick&model=logistic&sample_budget=4000&evaluate_every=2000&seed=5';
const TEXT = '#preset=text&engine=cpu&model=transformer-1-2-16&text.context=16&test.eta=0.5&max_batch=128&sample_budget=1600&evaluate_every=400';
/** All images to train on; of the others as many as an accuracy of two digits needs. */
const IMAGES = { training: 60_000, test: 1000 };
/** Soon at 0.95, and never ends by itself; that the CNN learns is tested in Chromium (training.test.mjs). */
const LONG = '#preset=quick&model=mlp&max_batch=256&sample_budget=100000000';

/** What a run has in common with the same run in another visit. */
const RESULTS = ['step', 'samplesSeen', 'loss', 'testAccuracy', 'batch'];

/** Runs the main path in one browser: each visit has an address, and so a storage, of its own. */
export function mainPath(engine) {
  let browser;
  const open = (t, options) => visit(t, browser, options);
  const options = testIn(engine);
  if (options.skip === undefined) {
    before(async () => (browser = await engine.start()));
    after(() => browser?.end());
  }

  test('training on MNIST passes 0.95, is paused, set to other values and goes on', options, async (t) => {
    const { visitor } = await open(t, { path: LONG, images: IMAGES });
    await trainsTo95(t, visitor);
    await isRetuned(visitor);
  });

  test('a run is saved and kept, and goes on exactly after the page was closed', options, async (t) => {
    const { visitor } = await open(t, { path: SMALL });
    const whole = await finished(visitor, 'Start');
    const file = await savedRun(visitor, whole);
    await goesOnAfterReload(visitor, whole);
    await savedRunOpens(visitor, file);
  });

  test('one click makes three runs, drawn together', options, async (t) => {
    const { visitor } = await open(t, { path: COMPARED });
    await compares(visitor);
  });

  test('files of the visitor’s are trained on', options, async (t) => {
    const { visitor } = await open(t, { path: SMALL });
    await trainsOnOwnFiles(visitor);
  });

  test('the tab learns to write', options, async (t) => {
    const { visitor } = await open(t, { path: TEXT, images: { folders: [MNIST, SHAKESPEARE] } });
    await learnsToWrite(visitor);
  });

  test('where the browser stores nothing, the page trains and says what it cannot keep', options, async (t) => {
    const { visitor } = await visit(t, await engine.start({ lacks: ['storage'] }), { path: SMALL, ends: true });
    await keepsNothing(visitor);
  });

  test('where the browser lacks WebAssembly or a part of it, that is said', options, async (t) => {
    const { visitor } = await visit(t, await engine.start({ lacks: ['wasm'] }), { path: SMALL, ends: true });
    await visitor.says('#notice', /^This page cannot train here This browser has no WebAssembly( SIMD)?, which training requires\. A current Firefox/);
    assert.equal(await visitor.evaluate(() => document.getElementById('main-button').getAttribute('aria-disabled')), 'true');
  });
}

async function trainsTo95(t, visitor) {
  await visitor.waitFor({ data: 'ready' });
  assert.deepEqual(await visitor.evaluate(() => ['model', 'initial-batch'].map((name) => document.getElementById(`setting-${name}`).value)), ['mlp', '8']);
  const clicked = performance.now();
  await visitor.press('Start');
  const ended = await visitor.waitForFunction(() => {
    const { testAccuracy, phase } = document.getElementById('status').dataset;
    return Number(testAccuracy) > 0.95 || phase === 'failed' ? phase : null;
  });
  t.diagnostic(`0.95 after ${((performance.now() - clicked) / 1000).toFixed(1)} s`);
  assert.equal(ended, 'running');
  await visitor.press('Pause');
  await visitor.waitFor({ phase: 'paused' });
  const { batch, step, testAccuracy } = await visitor.status();
  t.diagnostic(`step ${step}, batch ${batch}, test accuracy ${testAccuracy}; ${await visitor.evaluate(() => document.getElementById('engine').textContent)}`);
  assert.ok(Number(batch) > 100, `the batch only grew to ${batch}`);
  await visitor.says('#sentence', /Step [\d,]+: batch [\d,]+(; [\d,]+ samples needed, [\d.,]+ times as many| was large enough)/);
}

async function isRetuned(visitor) {
  const { step } = await visitor.status();
  await visitor.fill('#setting-learning-rate', '0.01');
  await visitor.click('#knob-threshold');
  await visitor.type('Home', 'ArrowRight');
  // A pause can come inside of a step: then the settings hold after it.
  await visitor.press('Resume');
  await visitor.says('.run-settings', /learning rate 0\.02 → 0\.01/);
  await visitor.says('.run-settings', /η 1 → 0\.\d+/);
  await visitor.waitForFunction((before) => Number(document.getElementById('status').dataset.step) > before, Number(step));
  await visitor.press('Pause');
  await visitor.waitFor({ phase: 'paused' });
}

/** A whole run, begun by a button, and how it ended. */
async function finished(visitor, button) {
  await visitor.waitFor({ data: 'ready' });
  await visitor.press(button);
  await visitor.waitFor({ phase: 'finished' });
  return visitor.status();
}

async function savedRun(visitor, { step, testAccuracy }) {
  const { name, content } = await visitor.savedJson('Save Run 1 as JSON');
  assert.equal(name, 'adadagrad-run-1.json');
  assert.deepEqual([content.name, content.steps.step.at(-1), content.evaluations.at(-1).accuracy], ['Run 1', Number(step), Number(testAccuracy)]);
  return { ...content, name: 'From a file' };
}

async function goesOnAfterReload(visitor, whole) {
  await visitor.press('Keep Run 1 when the page is closed');
  await visitor.press('Reset');
  await visitor.waitFor({ phase: 'idle' });
  for (let step = 1; step <= 5; step += 1) {
    await visitor.press('Step');
    await visitor.waitFor({ phase: 'paused', step: String(step) });
  }
  await leftIs(visitor, 5);
  await visitor.reload();
  await visitor.says('#left-run', /You left “Run 2” at step 5: batch/);
  assert.deepEqual(await runNames(visitor), ['Run 1']);
  const gone = await finished(visitor, 'Continue where you left off');
  for (const key of RESULTS) assert.equal(gone[key], whole[key], key);
}

function runNames(visitor) {
  return visitor.evaluate(() => [...document.querySelectorAll('#runs-body .run-name')].map(({ value }) => value));
}

async function savedRunOpens(visitor, run) {
  await visitor.setFiles('#run-file', [{ name: 'run.json', buffer: JSON.stringify(run) }]);
  await visitor.waitForFunction(() => document.querySelectorAll('#runs-body tr').length === 3);
  assert.deepEqual(await runNames(visitor), ['Run 1', 'Run 2', 'From a file']);
  const figures = await visitor.evaluate(() => [...document.querySelectorAll('#runs-body tr')].map((row) => [...row.querySelectorAll('.run-figure')].map(({ textContent }) => textContent)));
  assert.deepEqual(figures[2], figures[0]);
}

async function compares(visitor) {
  await visitor.waitFor({ data: 'ready' });
  await visitor.press('Adaptive, small or large batch');
  await visitor.says('#comparison-note', /^Compared:/);
  assert.deepEqual(await runNames(visitor), ['Adaptive from 8', 'Constant 8', 'Constant 4,096']);
  for (const id of ['batch', 'loss', 'accuracy', 'speed']) {
    await visitor.waitForFunction((chart) => document.querySelectorAll(`#chart-${chart} .legend-entry`).length === 3, id);
  }
}

async function trainsOnOwnFiles(visitor) {
  await visitor.waitFor({ data: 'ready' });
  await visitor.setFiles('#data-files', ownFiles({ training: 900, test: 100 }));
  await visitor.says('#sentence', /^900 training images are ready/);
  await visitor.press('Step');
  await visitor.waitFor({ phase: 'paused', step: '1' });
  const { loss } = await visitor.status();
  assert.ok(Math.abs(Number(loss) - Math.log(10)) < 0.5, 'an untrained network guesses among 10');
}

async function learnsToWrite(visitor) {
  const { step, batch } = await finished(visitor, 'Start');
  assert.ok(Number(batch) > 8, 'the batch never grew');
  await visitor.waitForFunction((last) => document.querySelector('.written-list li')?.dataset.step === last, step);
  assert.equal(await visitor.evaluate(() => document.querySelector('.written-text').textContent.length), 200);
  await visitor.click('#prompt');
  await visitor.type(['Control', 'a'], ...'To be');
  await visitor.press('Write on');
  const written = await visitor.waitForFunction(() => (document.getElementById('prompt').value.length === 105 ? document.getElementById('prompt').value : null));
  assert.match(written, /^To be/);
}

async function keepsNothing(visitor) {
  await finished(visitor, 'Start');
  await visitor.press('Keep Run 1 when the page is closed');
  await visitor.says('#runs-note', /“Run 1” cannot be kept\. The browser/);
}
