// Narrow and wide, light and dark, before, during and after training: nothing sticks out; pictures are kept.
import assert from 'node:assert/strict';
import test from 'node:test';
import { browserTest, openPage } from './support/page.mjs';
import { changeScheme, chartsDrawn, eventually } from './support/steady.mjs';
import { adapterVanishes } from './support/webgpu.mjs';

const WIDTHS = { 360: { width: 360, height: 740 }, 1280: { width: 1280, height: 900 } };

const SCHEMES = ['light', 'dark'];

/** In both colour schemes nothing is wider than the screen, once all is drawn; a picture of each is kept. */
async function checkBoth({ page, screenshot }, name) {
  for (const colorScheme of SCHEMES) {
    await changeScheme(page, colorScheme);
    await chartsDrawn(page);
    await eventually(() => stickingOut(page), (found) => assert.deepEqual(found, [], `${name}, ${colorScheme}: wider than the screen`));
    await screenshot(name.replace('-', `-${colorScheme}-layout-`));
  }
}

for (const [width, viewport] of Object.entries(WIDTHS)) {
  test(`${width} px: nothing sticks out`, browserTest(), async (t) => {
    const opened = await openPage(t, { context: { viewport }, images: { test: 500 } });
    const { page, button, waitFor, waitForStep, set } = opened;
    await waitFor({ data: 'ready' });
    await checkBoth(opened, `${width}-before`);
    // A run that goes on until it is told to stop.
    await set({ 'Sample budget': 100_000_000, 'Largest batch': 64 });
    await button('Start').click();
    await waitForStep(12);
    await checkBoth(opened, `${width}-during`);
    await waitFor({ phase: 'running' });
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
    await set({ 'Sample budget': 1000 });
    await button('Start').click();
    await waitFor({ phase: 'finished' });
    await checkBoth(opened, `${width}-after`);
    for (const colorScheme of SCHEMES) {
      await changeScheme(page, colorScheme);
      assert.equal(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches), colorScheme === 'dark');
      await eventually(() => chartsWithoutCurve(page), (found) => assert.deepEqual(found, [], 'charts that drew nothing'));
      assert.ok(await contrastOfText(page) >= 4.5, 'the muted text is too faint');
    }
  });

  test(`${width} px: the engine and what it has to say fit in`, browserTest(), async (t) => {
    const opened = await openPage(t, { webgpu: true, context: { viewport }, path: '#preset=quick&model=logistic&engine=webgpu&sample_budget=100000000&max_batch=64' });
    const { page, button, waitFor, waitForStep } = opened;
    await waitFor({ data: 'ready' });
    await button('Start').click();
    await waitForStep(2);
    await waitFor({ engine: 'webgpu', phase: 'running' });
    await checkBoth(opened, `${width}-webgpu`);
    await button('Reset').click();
    await adapterVanishes(page);
    await button('Start').click();
    await waitForStep(2);
    await waitFor({ engine: 'cpu' });
    await page.locator('#engine-notes').waitFor({ state: 'visible' });
    await checkBoth(opened, `${width}-note`);
  });
}

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

/** Elements that reach beyond the right edge; a document that scrolls sideways is one itself. */
function stickingOut(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const wide = [...document.body.querySelectorAll('*')].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 0 && box.right > width + 0.5 && !element.closest('.chart-stage, svg *, .table-scroller table');
    });
    const scrolls = document.documentElement.scrollWidth > width ? ['the document scrolls sideways'] : [];
    return [...scrolls, ...wide.map((element) => element.outerHTML.slice(0, 80))];
  });
}

/** Charts on whose canvas too few pixels have the curves' colours. */
function chartsWithoutCurve(page) {
  return page.evaluate(() => {
    const style = getComputedStyle(document.documentElement);
    const colours = ['--accent', '--contrast'].map((name) => {
      const hex = style.getPropertyValue(name).trim();
      return [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
    });
    const inked = (canvas) => {
      // A copy: reading the chart's own canvas twice would change how the browser draws it.
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let index = 0; index < data.length; index += 4) {
        const near = ([red, green, blue]) =>
          Math.abs(data[index] - red) + Math.abs(data[index + 1] - green) + Math.abs(data[index + 2] - blue) < 30;
        if (data[index + 3] > 200 && colours.some(near)) count += 1;
      }
      return count;
    };
    return [...document.querySelectorAll('figure.chart')].filter((figure) => inked(figure.querySelector('canvas')) < 8).map(({ id }) => id);
  });
}

/** The least contrast between the lead's text and the page behind it (WCAG 2). */
function contrastOfText(page) {
  return page.evaluate(() => {
    const luminance = (colour) => {
      const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => {
        const share = Number(part) / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const text = luminance(getComputedStyle(document.querySelector('.lead')).color);
    const behind = luminance(getComputedStyle(document.body).backgroundColor);
    return (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
  });
}
