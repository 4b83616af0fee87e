// The batch, seen: how images share the frame, and that the page draws the very batch it trains on.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { loadModule } from './support/module.mjs';
import { ALL_IMAGES, browserTest, openPage, pageFolder } from './support/page.mjs';
import { frames, turns } from './support/steady.mjs';

const { fitGrid, mostDrawn } = await loadModule('mosaic/grid.ts');
const { describeMosaic } = await loadModule('mosaic/words.ts');

const WIDTH = 1140;
const HEIGHT = 840;

test('thumbnails are as large as fits, and every image is drawn while it can be', () => {
  let last = Infinity;
  for (const count of [1, 2, 7, 8, 9, 100, 1187, 4096, 12_120, 59_850]) {
    const { columns, rows, cell, drawn } = fitGrid(count, WIDTH, HEIGHT);
    assert.equal(drawn, count);
    assert.ok(columns * cell <= WIDTH && rows * cell <= HEIGHT, `${count} images leave the frame`);
    assert.ok(columns * rows >= count, `${count} images have no place`);
    const larger = Math.floor(WIDTH / (cell + 1)) * Math.floor(HEIGHT / (cell + 1));
    assert.ok(larger < count || cell === 336, `${count} images could be larger than ${cell}`);
    assert.ok(cell <= last, 'more images must not be larger');
    last = cell;
  }
  assert.ok(fitGrid(8, WIDTH, HEIGHT).cell > 250, 'the first eight are large');
});

test('what does not fit is counted', () => {
  const most = mostDrawn(WIDTH, HEIGHT);
  assert.equal(most, 285 * 210);
  const { drawn, cell } = fitGrid(60_000, WIDTH, HEIGHT);
  assert.equal(drawn, most);
  assert.equal(cell, 4);
  assert.equal(describeMosaic(60_000, drawn, 100), 'The batch of step 100: 60,000 training images; 59,850 are shown, 150 more do not fit.');
  assert.equal(describeMosaic(8, 8, 1), 'The batch of step 1: 8 training images, all shown.');
});

for (const [deviceScaleFactor, colorScheme] of [[1, 'light'], [2, 'dark']]) {
  test(`the first batch is eight training images, to the pixel: density ${deviceScaleFactor}, ${colorScheme}`, browserTest(), async (t) => {
    const context = { deviceScaleFactor, colorScheme, reducedMotion: 'reduce' };
    const { page, button, waitFor, screenshot } = await openPage(t, { context });
    await waitFor({ data: 'ready' });
    await page.locator('#mosaic-title').scrollIntoViewIfNeeded();
    // The next batch is as large as the first: what is drawn while the run rests is the batch of step 2.
    await page.getByLabel('Test', { exact: true }).selectOption({ label: 'No test' });
    await button('Step').click();
    await waitFor({ step: '1', phase: 'paused' });
    await page.waitForFunction(() => document.getElementById('mosaic-text').textContent.startsWith('The batch of step 2:'));
    const { images, cell, width, box } = await thumbnails(page, 8);
    assert.equal(width, Math.round(box * deviceScaleFactor), 'one pixel of the canvas is one of the screen');
    assert.ok(cell >= 28 * 2);
    const training = gunzipSync(readFileSync(join(pageFolder, 'data/mnist/train-images-idx3-ubyte.gz'))).subarray(16);
    const found = images.map((image) => indexOfImage(training, image));
    assert.ok(found.every((index) => index >= 0), `images that are not in the training set: ${found}`);
    assert.equal(new Set(found).size, 8, 'eight different images');
    assert.match(await page.locator('#mosaic-text').textContent(), /^The batch of step 2: 8 training images, all shown\.$/);
    const labels = gunzipSync(readFileSync(join(pageFolder, 'data/mnist/train-labels-idx1-ubyte.gz'))).subarray(8);
    const each = Object.fromEntries(Array.from({ length: 10 }, (_, digit) => [digit, found.filter((index) => labels[index] === digit).length]));
    assert.deepEqual(await classCounts(page), each);
    await screenshot(`1280-${colorScheme}-mosaic-8`);
    const ink = await inkOf(page);
    await page.emulateMedia({ colorScheme: colorScheme === 'light' ? 'dark' : 'light' });
    await page.waitForFunction((before) => globalThis.mosaicInk() !== before, ink);
  });
}

test('as the batch grows the thumbnails shrink, within the same frame', browserTest(), async (t) => {
  const { page, button, waitFor, read, set, screenshot } = await openPage(t, { images: ALL_IMAGES });
  await waitFor({ data: 'ready' });
  await page.getByLabel('Preset', { exact: true }).selectOption('paper-logistic');
  await set({ 'Sample budget': 400_000 });
  const frame = () => page.locator('.mosaic-stage').evaluate((element) => [element.offsetWidth, element.offsetHeight]);
  const before = await frame();
  await page.locator('#mosaic-title').scrollIntoViewIfNeeded();
  await page.getByRole('button', { name: 'Run until the batch grows' }).click();
  await waitFor({ phase: 'paused' });
  let cell = Infinity;
  for (let growth = 0; growth < 3; growth += 1) {
    const { nextBatch } = await read();
    await drawn(page, nextBatch);
    const { cell: now } = await page.locator('.mosaic-canvas').evaluate(({ dataset }) => ({ cell: Number(dataset.cell) }));
    assert.ok(now < cell, `a batch of ${nextBatch} has thumbnails of ${now}, as the smaller one before had ${cell}`);
    cell = now;
    const { step } = await read();
    await page.getByRole('button', { name: 'Run until the batch grows' }).click();
    await page.waitForFunction((last) => {
      const { step: at, phase } = document.getElementById('status').dataset;
      return phase !== 'running' && Number(at) > last;
    }, step);
  }
  assert.deepEqual(await frame(), before);
  await screenshot('1280-light-mosaic-thousands');
});

test('it asks for pictures only while it can be seen', browserTest(), async (t) => {
  const { page, button, waitFor, read } = await openPage(t, { path: '#preset=quick&model=logistic' });
  await waitFor({ data: 'ready' });
  await page.locator('#mosaic-title').scrollIntoViewIfNeeded();
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  await drawn(page, (await read()).nextBatch);
  await page.locator('footer').scrollIntoViewIfNeeded();
  // The worker hears of it.
  await frames(page);
  await turns(page);
  const seen = () => page.locator('.mosaic-canvas').getAttribute('data-batch');
  const before = await seen();
  for (let growth = 0; growth < 2; growth += 1) {
    const { step } = await read();
    // Playwright's own click would scroll.
    await page.getByRole('button', { name: 'Run until the batch grows' }).evaluate((growth) => growth.click());
    await page.waitForFunction((last) => document.getElementById('status').dataset.phase === 'paused' && Number(document.getElementById('status').dataset.step) > last, step);
  }
  await turns(page);
  assert.ok((await read()).nextBatch > Number(before), 'the batch did not grow');
  assert.equal(await seen(), before, 'it went on out of sight');
  await page.locator('#mosaic-title').scrollIntoViewIfNeeded();
  await drawn(page, (await read()).nextBatch);
});

test('a run that ended out of sight shows its last batch', browserTest(), async (t) => {
  const { page, button, waitFor, read } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=4000', context: { viewport: { width: 1000, height: 420 } } });
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  assert.equal(await page.locator('#mosaic-text').textContent(), 'No batch yet.', 'it was out of sight');
  await page.locator('.mosaic-stage').scrollIntoViewIfNeeded();
  const { step, batch } = await read();
  await drawn(page, batch);
  assert.ok((await page.locator('#mosaic-text').textContent()).startsWith(`The batch of step ${step}: ${batch} training images`));
  assert.equal(await page.locator('.mosaic-empty').isVisible(), false);
});

test('the classes of the batch are counted, under the names that they have', browserTest(), async (t) => {
  const { page, button, waitFor, set } = await openPage(t, { images: ALL_IMAGES });
  await waitFor({ data: 'ready' });
  const counts = page.getByRole('group', { name: 'Number of images per digit' });
  assert.deepEqual(await counts.locator('dd').allTextContents(), Array(10).fill('–'), 'no batch yet');
  // All 60,000 images: more than can be drawn.
  await page.getByLabel('Model', { exact: true }).selectOption('logistic');
  await set({ 'Largest batch': 60000, 'Initial batch': 60000, 'Sample budget': 240_000 });
  await page.locator('#mosaic-title').scrollIntoViewIfNeeded();
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  await drawn(page, 60_000);
  const labels = gunzipSync(readFileSync(join(pageFolder, 'data/mnist/train-labels-idx1-ubyte.gz'))).subarray(8);
  const each = Object.fromEntries(Array.from({ length: 10 }, (_, digit) => [digit, labels.filter((label) => label === digit).length]));
  assert.deepEqual(await classCounts(page), each);
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  assert.deepEqual(await counts.locator('dd').allTextContents(), Array(10).fill('–'), 'no batch any more');
  if (!existsSync(join(pageFolder, 'data/fashion_mnist'))) return;
  await page.locator('#data-choice').selectOption('fashion_mnist');
  await page.getByRole('group', { name: 'Number of images per piece of clothing' }).waitFor();
  assert.equal(await page.locator('.class-count dt').last().textContent(), 'Boot');
});

/** What the page tells of each class. */
async function classCounts(page) {
  const bars = await page.locator('.class-count').evaluateAll((all) => all.map((bar) => [bar.querySelector('dt').textContent, bar.querySelector('dd').textContent]));
  return Object.fromEntries(bars.map(([name, count]) => [name, Number(count.replaceAll(',', ''))]));
}

function drawn(page, batch) {
  return page.waitForFunction((wanted) => document.querySelector('.mosaic-canvas').dataset.batch === String(wanted), batch);
}

/** The first images as they are on the canvas: the opacity in the middle of each of their 28 × 28 pixels. */
function thumbnails(page, count) {
  return page.evaluate((wanted) => {
    const canvas = document.querySelector('.mosaic-canvas');
    const cell = Number(canvas.dataset.cell);
    const columns = Math.floor(canvas.width / cell);
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const at = (x, y) => data[4 * (Math.floor(y) * canvas.width + Math.floor(x)) + 3];
    const images = Array.from({ length: wanted }, (_, image) => {
      const [left, top] = [(image % columns) * cell, Math.floor(image / columns) * cell];
      return Array.from({ length: 784 }, (_, pixel) =>
        at(left + ((pixel % 28) + 0.5) * (cell / 28), top + (Math.floor(pixel / 28) + 0.5) * (cell / 28)),
      );
    });
    return { images, cell, width: canvas.width, box: canvas.getBoundingClientRect().width };
  }, count);
}

/** The colour of strong ink; the lines between the thumbnails alone are quite opaque. */
function inkOf(page) {
  return page.evaluate(() => {
    globalThis.mosaicInk = () => {
      const canvas = document.querySelector('.mosaic-canvas');
      // A copy: reading the page's own canvas twice would change how the browser draws it.
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      for (let index = 0; index < data.length; index += 4) {
        if (data[index + 3] > 245 && data[index + 3] < 255) return data.slice(index, index + 3).join(' ');
      }
      return 'none';
    };
    return globalThis.mosaicInk();
  });
}

/** Lines between the thumbnails lie on their edges, where no digit reaches: only the inside is compared. */
function indexOfImage(training, image) {
  const inside = [...image.keys()].filter((pixel) => pixel % 28 > 0 && pixel % 28 < 27 && pixel >= 28 && pixel < 756);
  for (let index = 0; index < 60_000; index += 1) {
    if (inside.every((pixel) => Math.abs(training[index * 784 + pixel] - image[pixel]) <= 1)) return index;
  }
  return -1;
}
