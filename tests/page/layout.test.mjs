// Narrow and wide, light and dark, with notes, comparisons and open tables: nothing sticks out; pictures are kept. The page before,
// during and after training: screens.test.mjs.
import assert from 'node:assert/strict';
import test from 'node:test';
import { chartsWithoutCurve, stickingOut } from './support/layout.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { changeScheme, chartsDrawn, eventually } from './support/steady.mjs';
import { adapterVanishes } from './support/webgpu.mjs';

const VIEWPORTS = [
  { width: 360, height: 740 },
  { width: 1280, height: 900 },
];

const SCHEMES = ['light', 'dark'];

/** Narrow and wide, in both colour schemes nothing is wider than the screen, once all is drawn; a picture of each is kept. */
async function checkAll({ page, screenshot }, name) {
  for (const viewport of VIEWPORTS) {
    await page.setViewportSize(viewport);
    for (const colorScheme of SCHEMES) {
      await changeScheme(page, colorScheme);
      await chartsDrawn(page);
      await eventually(() => stickingOut(page), (found) => assert.deepEqual(found, [], `${name}, ${viewport.width} px, ${colorScheme}: wider than the screen`));
      await screenshot(`${viewport.width}-${colorScheme}-layout-${name}`);
    }
  }
}

test('narrow and wide, the engine and what it has to say fit in', browserTest(), async (t) => {
  const opened = await openPage(t, { webgpu: true, path: '#preset=quick&model=logistic&engine=webgpu&sample_budget=100000000&max_batch=64' });
  const { page, button, waitFor, waitForStep } = opened;
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitForStep(2);
  await waitFor({ engine: 'webgpu', phase: 'running' });
  await checkAll(opened, 'webgpu');
  // Before the page can ask for an adapter for the next run.
  await adapterVanishes(page);
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  await button('Start').click();
  await waitForStep(2);
  await waitFor({ engine: 'cpu' });
  await page.locator('#engine-notes').waitFor({ state: 'visible' });
  await checkAll(opened, 'note');
});

test('at all widths a comparison, open tables and the way back fit in', browserTest(), async (t) => {
  const { page, button, waitFor, screenshot } = await openPage(t, {
    context: { viewport: { width: 360, height: 900 } },
    path: '#preset=quick&model=logistic&sample_budget=8000&evaluate_every=4000&thresholds=true&smoothing=0.8&foo=bar',
  });
  await waitFor({ data: 'ready' });
  await button('Half or double threshold').click();
  await page.waitForFunction(() => /^Compared:/.test(document.getElementById('comparison-note').textContent));
  for (const summary of await page.locator('.table-twin summary').all()) await summary.click();
  await page.locator('#going-back').waitFor({ state: 'visible' });
  for (const width of [360, 768, 1280, 2560]) {
    await page.setViewportSize({ width, height: 900 });
    await chartsDrawn(page);
    await eventually(() => stickingOut(page), (found) => assert.deepEqual(found, [], `${width} px`));
    await screenshot(`${width}-light-layout-comparison`);
  }
});

test('a single step is drawn already, and so is a run whose batch leaps', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  await chartsDrawn(page);
  await eventually(() => chartsWithoutCurve(page), (found) => assert.deepEqual(found, ['chart-accuracy'], 'accuracy alone is not measured yet'));
  await button('Reset').click();
  await page.getByLabel('Preset', { exact: true }).selectOption('paper-logistic');
  await button('Start').click();
  await page.waitForFunction(() => Number(document.getElementById('status').dataset.step) >= 12 && document.getElementById('status').dataset.testAccuracy !== '');
  await button('Pause').click();
  await waitFor({ phase: 'paused' });
  await chartsDrawn(page);
  await eventually(() => chartsWithoutCurve(page), (found) => assert.deepEqual(found, []));
});

test('charts follow a change of the colour scheme, the axis and the width', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { context: { colorScheme: 'light' }, path: '#preset=quick&model=logistic&sample_budget=1000' });
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  const picture = () => page.evaluate(() => document.querySelector('#chart-batch canvas').toDataURL());
  const becomesOther = (old) => eventually(picture, (now) => assert.notEqual(now, old));
  await chartsDrawn(page);
  const light = await picture();
  await page.emulateMedia({ colorScheme: 'dark' });
  await becomesOther(light);
  await chartsDrawn(page);
  const dark = await picture();
  await page.locator('label[for=axis-steps]').click();
  await becomesOther(dark);
  await page.setViewportSize({ width: 400, height: 800 });
  await eventually(() => stickingOut(page), (found) => assert.deepEqual(found, []));
});
