// One visit with WebGPU as the engine, through everything that a visitor finds on the page: on Chromium's software
// adapter, with a model and a budget small enough for it. What each part does in detail, the tests on the CPU look at.
import assert from 'node:assert/strict';
import test from 'node:test';
import { drop, ownFiles } from './support/data-files.mjs';
import { millisecondsToFirstStep } from './support/first-step.mjs';
import { leftIs } from './support/left-run.mjs';
import { keptForOffline } from './support/offline.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { saved } from './support/saved.mjs';
import { gpuCounts, gpuRests, keepDevices } from './support/webgpu.mjs';

const ADDRESS = '#preset=quick&model=logistic&sample_budget=2500&max_batch=128&evaluate_every=1250&seed=2&engine=webgpu';

test('a visit with WebGPU', browserTest(), async (t) => {
  const opened = await openPage(t, { offline: true, webgpu: true, images: { test: 100 }, path: ADDRESS });
  const { page, read, button, waitFor, waitForStep } = opened;
  const figures = async () => (({ step, batch, nextBatch, samplesSeen, loss, testAccuracy }) => ({ step, batch, nextBatch, samplesSeen, loss, testAccuracy }))(await read());
  await waitFor({ data: 'ready' });

  await t.test('the recorded run gives way to the first step, which the GPU makes', async () => {
    assert.ok(await page.locator('#recorded-note').isVisible());
    await button('Step').click();
    await waitFor({ step: '1', phase: 'paused', engine: 'webgpu' });
    await page.locator('#recorded-note').waitFor({ state: 'hidden' });
  });

  await t.test('the mosaic holds the batch', async () => {
    await page.locator('#mosaic-title').scrollIntoViewIfNeeded();
    const { nextBatch } = await read();
    await page.waitForFunction((batch) => document.querySelector('.mosaic-canvas').dataset.batch === String(batch), nextBatch);
    const counts = await page.locator('.class-count dd').allTextContents();
    assert.equal(counts.reduce((sum, count) => sum + Number(count), 0), nextBatch);
  });

  await t.test('the figure draws the step where the batch grows, with its numbers', async () => {
    const { step: before } = await read();
    await button('Run until the batch grows').click();
    await page.waitForFunction((last) => {
      const { phase, step } = document.getElementById('status').dataset;
      return phase === 'paused' && Number(step) > last;
    }, before);
    const { step, batch, nextBatch } = await read();
    assert.ok(nextBatch > batch);
    await page.waitForFunction((wanted) => document.querySelector('.figure-stage').dataset.step === String(wanted), step);
    const sentence = await page.locator('#figure-sentence').textContent();
    assert.match(sentence, new RegExp(`^Step ${step}: the noise is .* ${batch} used; next batch ${nextBatch}`));
    for (const mark of ['noise', 'allowed']) assert.ok(Number(await page.locator(`.figure-stage .figure-${mark} circle`).first().getAttribute('r')) > 0, mark);
  });

  let whole;
  await t.test('a whole run: every chart has its curve', async () => {
    await button('Resume').click();
    await waitFor({ phase: 'finished' });
    whole = await figures();
    await page.locator('#charts-title').scrollIntoViewIfNeeded();
    const told = { batch: `grew from 8 to ${whole.batch}$`, test: 'noise², v ∕ b: [0-9.e-]+; allowed', loss: 'now ', accuracy: 'now ', speed: 'now ' };
    for (const [id, words] of Object.entries(told)) {
      await page.waitForFunction(([name, text]) => new RegExp(text).test(document.querySelector(`#chart-${name} [role=img]`).ariaLabel), [id, words]);
    }
    const table = page.locator('#chart-loss details');
    await table.locator('summary').click();
    await table.locator('tbody tr').nth(10).waitFor();
    await table.locator('summary').click();
  });

  await t.test('a chart is saved as SVG and PNG', async () => {
    const svg = (await saved(page, 'Batch size: save as SVG')).bytes.toString();
    assert.match(svg, new RegExp(`aria-label="Batch size: grew from 8 to ${whole.batch}"`));
    assert.ok((svg.match(/<circle/g) ?? []).length > 10);
    const png = (await saved(page, 'Training loss: save as PNG')).bytes;
    assert.equal(png.toString('latin1', 1, 4), 'PNG');
    assert.ok(png.length > 3000);
  });

  await t.test('the run is saved as CSV and JSON, the model as safetensors; a run begins with it', async () => {
    const [head, ...lines] = (await saved(page, 'Save Run 1 as CSV')).bytes.toString().trimEnd().split('\n').map((line) => line.split(','));
    assert.equal(lines.length, whole.step);
    assert.equal(Number(lines.at(-1)[head.indexOf('loss')]), whole.loss);
    const run = JSON.parse((await saved(page, 'Save Run 1 as JSON')).bytes);
    assert.equal(run.computed_by.engine, 'webgpu');
    assert.match(run.computed_by.adapter, /swiftshader/i);
    const { bytes: model } = await saved(page, 'Save the model');
    assert.ok(model.length > 4 * 7850);
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
    await page.locator('#model-file').setInputFiles({ name: 'mine.safetensors', mimeType: 'application/octet-stream', buffer: model });
    await waitFor({ phase: 'paused', step: '0' });
    await button('Step').click();
    await waitFor({ step: '1', phase: 'paused', engine: 'webgpu' });
    const { loss } = await read();
    assert.ok(loss < 1.7, `a new network loses 2.3, this one ${loss}`);
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
  });

  await t.test('back to an earlier moment, and the very same steps again', async () => {
    for (let step = 1; step <= 6; step += 1) {
      await button('Step').click();
      await waitFor({ step: String(step), phase: 'paused' });
    }
    await leftIs(page, 6);
    await button('Resume').click();
    await waitFor({ phase: 'finished', engine: 'webgpu' });
    assert.deepEqual(await figures(), whole);
    // A run that is over is not kept: what is kept next is of the run that went back.
    await leftIs(page, null);
    await page.locator('#checkpoint').selectOption('6');
    await button('Go back').click();
    await waitFor({ step: '6', phase: 'paused', engine: 'webgpu' });
  });

  await t.test('after the page was closed the run goes on exactly', async () => {
    await leftIs(page, 6);
    await page.reload();
    await page.locator('#left-run').waitFor({ state: 'visible' });
    await waitFor({ data: 'ready' });
    await button('Continue where you left off').click();
    await waitFor({ phase: 'finished', engine: 'webgpu' });
    assert.deepEqual(await figures(), whole);
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
  });

  await t.test('settings change and Pause is heard while it runs', async () => {
    await page.locator('#setting-sample-budget').fill('100000000');
    await button('Start').click();
    await waitForStep(3);
    await page.locator('#setting-learning-rate').fill('0.05');
    await page.waitForFunction(() => document.querySelector('#runs-body tr:last-child .run-settings').textContent.includes('learning rate 0.02 → 0.05'));
    const { step, phase } = await read();
    assert.equal(phase, 'running');
    await waitForStep(step + 3);
    await button('Pause').click();
    await waitFor({ phase: 'paused' });
  });

  await t.test('a digit is read, and read otherwise as training goes on', async () => {
    await page.locator('#look-title').scrollIntoViewIfNeeded();
    await button('Clear').click();
    const pad = page.locator('.pad-canvas');
    await pad.scrollIntoViewIfNeeded();
    const box = await pad.boundingBox();
    await page.mouse.move(box.x + 0.52 * box.width, box.y + 0.15 * box.height);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.48 * box.width, box.y + 0.85 * box.height, { steps: 8 });
    await page.mouse.up();
    await page.waitForFunction(() => document.querySelector('.probabilities').dataset.best !== undefined);
    const shares = async () => (await page.locator('.probability-value').allTextContents()).join(' ');
    const before = await shares();
    await button('Resume').click();
    // What is out of sight is not kept up to date.
    await page.locator('#look-title').scrollIntoViewIfNeeded();
    await page.waitForFunction((earlier) => {
      const now = [...document.querySelectorAll('.probability-value')].map(({ textContent }) => textContent).join(' ');
      return now !== earlier;
    }, before);
    await page.waitForFunction(() => /^After step \d+, /.test(document.querySelector('.look-summary').textContent));
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
  });

  await t.test('two runs are compared', async () => {
    await page.locator('#setting-sample-budget').fill('600');
    await button('Norm or inner product test').click();
    await page.waitForFunction(() => /^Compared: /.test(document.getElementById('comparison-note').textContent));
    const drawn = await page.locator('#runs-body tr').evaluateAll((rows) => rows.filter((row) => row.querySelector('input[type=checkbox]').checked).map((row) => row.querySelector('.run-name').value));
    assert.deepEqual(drawn, ['Norm test', 'Inner product test']);
    assert.equal((await read()).engine, 'webgpu');
    assert.match(await page.locator('#engine').textContent(), /^Runs on WebGPU \(google swiftshader, a software adapter\)/);
  });

  await t.test('own files are learned from', async () => {
    await button('Reset').click();
    await drop(page, ownFiles({ training: 700, test: 100 }));
    await page.waitForFunction(() => /700 training images are ready/.test(document.getElementById('sentence').textContent));
    await button('Start').click();
    await waitFor({ phase: 'finished', engine: 'webgpu' });
    assert.ok((await read()).samplesSeen >= 600);
  });

  await t.test('without a network too', async () => {
    await page.goto('about:blank');
    await page.goto(`${opened.server.address}${ADDRESS}`);
    await keptForOffline(page);
    await opened.server.close();
    await page.reload();
    await waitFor({ data: 'ready' });
    await button('Step').click();
    await waitFor({ step: '1', phase: 'paused', engine: 'webgpu' });
  });
});

test('the first step is made without any preparation too, and where the visitor has read a sentence before nothing is left to prepare', browserTest(), async (t) => {
  const { page, waitFor, read } = await openPage(t, { webgpu: true, path: ADDRESS });
  await waitFor({ data: 'ready' });
  t.diagnostic(`at once: the first step was made after ${Math.round(await millisecondsToFirstStep(page))} ms`);
  assert.equal((await read()).engine, 'webgpu');
  for (const model of ['logistic', 'mlp', 'cnn']) {
    const visit = await openPage(t, { webgpu: true, server: keepDevices(), path: `#preset=quick&model=${model}&sample_budget=4000&engine=webgpu` });
    await visit.waitFor({ data: 'ready' });
    // Meanwhile the device is opened, and its kernels are compiled.
    await gpuRests(visit.page);
    const { made } = await gpuCounts(visit.page);
    t.diagnostic(`${model}: the first step was made after ${Math.round(await millisecondsToFirstStep(visit.page))} ms`);
    assert.equal((await visit.read()).engine, 'webgpu');
    assert.equal((await gpuCounts(visit.page)).made, made, `${model}: the first step waited for a device or a kernel`);
    await visit.page.close();
  }
});
