// The page's files arrive in any order, late, or not at all: what is drawn ends up the same.
import assert from 'node:assert/strict';
import test from 'node:test';
import { browserTest, openPage } from './support/page.mjs';

const STYLE_SHEET = /<link rel="stylesheet"[^>]*>/;

/** As the style sheet has them. */
const TEXT_COLOUR = '#1a1c1f';
const RUN_COLOUR = { light: '#0b62b0', dark: '#6fb3f5' };

test('charts, swatches and thumbnails have their colours before the style sheet arrives, after it, and in the other scheme', browserTest(), async (t) => {
  let link = '';
  const withoutSheet = (path, bytes) => {
    if (path !== 'index.html') return undefined;
    const html = bytes.toString();
    [link] = STYLE_SHEET.exec(html);
    return Buffer.from(html.replace(STYLE_SHEET, ''));
  };
  // The test itself reads the canvases back.
  const expectedComplaints = /willReadFrequently/;
  const { page, button, waitFor, waitForStep } = await openPage(t, { server: { replace: withoutSheet }, context: { colorScheme: 'light' }, expectedComplaints });
  await waitFor({ data: 'ready' });
  await drawnIn(page, RUN_COLOUR.light);
  // A run of the visitor's own, with a mosaic, all without a style sheet.
  await button('Start').click();
  await waitForStep(3);
  await button('Pause').click();
  await waitFor({ phase: 'paused' });
  await drawnIn(page, RUN_COLOUR.light);
  await page.locator('#mosaic').scrollIntoViewIfNeeded();
  await page.waitForFunction(() => Number(document.querySelector('.mosaic-canvas').dataset.batch) > 0);
  assert.ok(await inked(page, '.mosaic-canvas', TEXT_COLOUR), 'the thumbnails are drawn in the colour of text');

  const unstyledWidth = await chartWidth(page);
  await page.evaluate((html) => document.head.append(document.createRange().createContextualFragment(html)), link);
  await page.waitForFunction((width) => document.querySelector('#chart-batch .uplot').clientWidth !== width, unstyledWidth);
  assert.equal(await chartWidth(page), await page.locator('#chart-batch .chart-stage').evaluate(({ clientWidth }) => clientWidth), 'the chart follows its styled frame');
  await drawnIn(page, RUN_COLOUR.light);

  for (const scheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme: scheme });
    await drawnIn(page, RUN_COLOUR[scheme]);
  }
});

test('a style sheet that comes last holds nothing up for good', browserTest(), async (t) => {
  const { page, waitFor } = await openPage(t, {
    expectedComplaints: /404|willReadFrequently/,
    server: { replace: (path) => (path.endsWith('.css') ? null : undefined) },
  });
  await waitFor({ data: 'ready' });
  await drawnIn(page, RUN_COLOUR.light);
});

/** Waits until the batch's curve and its swatches have a colour. */
async function drawnIn(page, colour) {
  await page.waitForFunction(
    ([red, green, blue]) => {
      const canvas = document.querySelector('#chart-batch canvas');
      if (canvas === null) return false;
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let pixels = 0;
      for (let at = 0; at < data.length; at += 4) if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255) pixels += 1;
      const swatches = [...document.querySelectorAll('#chart-batch .legend-swatch, #runs .legend-swatch')];
      const wanted = `rgb(${red}, ${green}, ${blue})`;
      return pixels > 20 && swatches.length > 0 && swatches.some((swatch) => getComputedStyle(swatch).color === wanted);
    },
    channels(colour),
    { polling: 50 },
  );
}

function channels(colour) {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
}

/** Whether a canvas has pixels of this colour. */
function inked(page, selector, colour) {
  return page.locator(selector).evaluate((canvas, [red, green, blue]) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 0; at < data.length; at += 4) if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255) return true;
    return false;
  }, channels(colour));
}

function chartWidth(page) {
  return page.locator('#chart-batch .uplot').evaluate(({ clientWidth }) => clientWidth);
}
