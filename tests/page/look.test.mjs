// Look inside: a drawing is made what MNIST's images are, and the page shows what the network makes of it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage, pageFolder } from './support/page.mjs';

const { preprocess } = await loadModule('look/preprocess.ts');
const { classNames } = await loadModule('classes.ts');

const SIDE = 28;
const AREA = SIDE * SIDE;
const testImages = gunzipSync(readFileSync(join(pageFolder, 'data/mnist/t10k-images-idx3-ubyte.gz'))).subarray(16);

function drawing(width, height, ink) {
  const values = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) values[y * width + x] = ink(x, y) ? 255 : 0;
  return { values, width, height };
}

function box(pixels) {
  const inked = [...pixels.keys()].filter((index) => pixels[index] > 0);
  const columns = inked.map((index) => index % SIDE);
  const rows = inked.map((index) => Math.floor(index / SIDE));
  return { left: Math.min(...columns), right: Math.max(...columns), top: Math.min(...rows), bottom: Math.max(...rows) };
}

function centre(pixels) {
  let [mass, x, y] = [0, 0, 0];
  pixels.forEach((value, index) => {
    mass += value;
    x += value * ((index % SIDE) + 0.5);
    y += value * (Math.floor(index / SIDE) + 0.5);
  });
  return { x: x / mass, y: y / mass };
}

test('a drawing is fitted into 20 × 20 and its centre of mass moved to the middle', () => {
  // A tall bar somewhere in a corner: 100 × 400 becomes 5 × 20.
  const bar = preprocess(drawing(560, 560, (x, y) => x >= 10 && x < 110 && y >= 150 && y < 550));
  assert.deepEqual(box(bar), { left: 12, right: 16, top: 5, bottom: 24 });
  const mass = bar.reduce((sum, value) => sum + value, 0) / 255;
  assert.ok(Math.abs(mass - 100) < 1, `5 × 20 pixels of ink, not ${mass}`);
  // An L is heavier on one side: its box is off the middle, its mass is not.
  const ell = preprocess(drawing(300, 300, (x, y) => (x >= 100 && x < 130 && y >= 50 && y < 250) || (x >= 100 && x < 200 && y >= 220 && y < 250)));
  const { x, y } = centre(ell);
  assert.ok(Math.abs(x - 14.5) <= 0.5 && Math.abs(y - 14.5) <= 0.5, `the mass lies at ${x}, ${y}`);
  assert.ok(box(ell).bottom - 14 < 14 - box(ell).top, 'the box itself is not centred');
});

test('small drawings are enlarged, an empty one is none', () => {
  const dot = preprocess(drawing(28, 28, (x, y) => x === 3 && y === 3));
  assert.deepEqual(box(dot), { left: 5, right: 24, top: 5, bottom: 24 });
  assert.ok(dot[14 * SIDE + 14] === 255);
  assert.equal(preprocess(drawing(28, 28, () => false)), null);
});

test('MNIST’s own images come out as they are', () => {
  for (let sample = 0; sample < 200; sample += 1) {
    const image = testImages.subarray(sample * AREA, (sample + 1) * AREA);
    const scale = 10;
    const width = SIDE * scale;
    const values = new Uint8Array(width * width);
    for (let index = 0; index < values.length; index += 1) {
      values[index] = image[Math.floor(index / width / scale) * SIDE + Math.floor((index % width) / scale)];
    }
    const again = preprocess({ values, width, height: width });
    const furthest = again.reduce((most, value, index) => Math.max(most, Math.abs(value - image[index])), 0);
    assert.ok(furthest <= 1, `test image ${sample} changed by ${furthest}`);
  }
});

test('the classes have names', () => {
  assert.equal(classNames('mnist').length, 10);
  assert.equal(classNames('fashion_mnist')[9], 'Boot');
});

/** A page whose network has learned enough to read digits, resting. */
async function trained(t, options) {
  const opened = await openPage(t, options);
  const { page, button, waitFor, waitForStep } = opened;
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitForStep(120);
  await button('Pause').click();
  await waitFor({ phase: 'paused' });
  await page.locator('#look-title').scrollIntoViewIfNeeded();
  return opened;
}

const readAs = (page, digit) =>
  page.waitForFunction((wanted) => document.querySelector('.probabilities').dataset.best === String(wanted), digit, { timeout: 15_000 });

test('digits drawn with the mouse are read', browserTest(), async (t) => {
  const { page, button, screenshot } = await trained(t);
  const pad = page.locator('.pad-canvas');
  const draw = async (points) => {
    await pad.scrollIntoViewIfNeeded();
    const box = await pad.boundingBox();
    const place = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
    await page.mouse.move(...place(points[0]));
    await page.mouse.down();
    for (const point of points.slice(1)) await page.mouse.move(...place(point), { steps: 6 });
    await page.mouse.up();
  };
  await draw([[0.52, 0.15], [0.48, 0.85]]);
  await readAs(page, 1);
  await button('Wipe').click();
  await page.waitForFunction(() => document.querySelector('.probabilities').dataset.best === undefined);
  const circle = Array.from({ length: 25 }, (_, index) => [0.5 + 0.24 * Math.sin(index / 4), 0.5 - 0.33 * Math.cos(index / 4)]);
  await draw(circle);
  await readAs(page, 0);
  const shares = await page.locator('.probability-value').allTextContents();
  const sum = shares.reduce((total, text) => total + Number.parseFloat(text), 0);
  assert.ok(Math.abs(sum - 100) < 1, `the probabilities add up to ${sum} %`);
  await screenshot('1280-light-look-drawn');
});

test('a digit can be drawn by keyboard, or a test image picked', browserTest(), async (t) => {
  const { page, button } = await trained(t);
  await button('Wipe').click();
  await page.locator('.pad-canvas').focus();
  for (let move = 0; move < 10; move += 1) await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Space');
  for (let move = 0; move < 20; move += 1) await page.keyboard.press('ArrowDown');
  await readAs(page, 1);
  assert.match(await page.locator('#pad-pen').textContent(), /pen is down/);
  await page.keyboard.press('Delete');
  await page.waitForFunction(() => document.querySelector('.probabilities').dataset.best === undefined);
  // The first test images are a 7, a 2, a 1 and a 0.
  for (const [sample, digit] of [[1, 2], [3, 0]]) {
    await page.getByLabel('Or a test image, by its number').fill(String(sample));
    await button('Show it').click();
    await readAs(page, digit);
  }
  await page.getByLabel('Or a test image, by its number').fill('10000');
  await button('Show it').click();
  await page.locator('#test-sample[aria-invalid=true]').waitFor();
});

test('the test set: counts that add up, mistakes that are ones, weights of the first layer', browserTest(), async (t) => {
  const { page, read, screenshot } = await trained(t);
  await page.locator('.mistake').first().waitFor({ timeout: 60_000 });
  const counts = (await page.locator('.confusion-table tbody td').allTextContents()).map(Number);
  assert.equal(counts.length, 100);
  assert.equal(counts.reduce((sum, count) => sum + count, 0), 10_000);
  const right = counts.filter((_, index) => index % 11 === 0).reduce((sum, count) => sum + count, 0);
  const summary = await page.locator('.look-summary').textContent();
  assert.ok(summary.replaceAll(',', '').includes(`${right} of 10000`), `${summary} for ${right}`);
  assert.ok(summary.includes(`step ${(await read()).step},`));
  const labels = gunzipSync(readFileSync(join(pageFolder, 'data/mnist/t10k-labels-idx1-ubyte.gz'))).subarray(8);
  const mistakes = await page.locator('.mistake:visible').evaluateAll((buttons) =>
    buttons.map((button) => ({ sample: Number(button.dataset.sample), words: [...button.children].slice(1).map(({ textContent }) => textContent) })),
  );
  assert.ok(mistakes.length === 24, `${mistakes.length} mistakes`);
  const shares = mistakes.map(({ words }) => Number.parseFloat(words[2]));
  shares.slice(1).forEach((share, index) => assert.ok(share <= shares[index], 'the surest comes first'));
  for (const { sample, words } of mistakes) {
    assert.equal(words[0], `is ${labels[sample]}`);
    assert.notEqual(words[1], `read as ${labels[sample]}`);
  }
  // Put on the pad, the network reads it as the gallery says.
  const predicted = Number(mistakes[0].words[1].slice(-1));
  await page.locator('.mistake').first().click();
  await readAs(page, predicted);
  const filters = page.locator('.filter-list');
  await page.waitForFunction(() => document.querySelector('.filter-list').children.length === 16);
  assert.deepEqual(await filters.evaluate(({ dataset }) => [dataset.count, dataset.side]), ['16', '5']);
  // The arrow keys walk through the table, and the cell is told in words.
  await page.locator('.confusion-table tbody td').first().focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  assert.match(await page.locator('.confusion-detail').textContent(), new RegExp(`^${counts[11].toLocaleString('en-US')} of the 1,135 images of 1 are read rightly`));
  await screenshot('1280-light-look');
});

const noFashion = existsSync(join(pageFolder, 'data/fashion_mnist')) ? {} : { skip: 'the page was built without Fashion-MNIST' };

test('Fashion-MNIST has its own names', browserTest(noFashion), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: '#dataset=fashion_mnist' });
  await waitFor({ data: 'ready' });
  await page.locator('#look-title').scrollIntoViewIfNeeded();
  assert.equal(await page.locator('.look-draw h3').textContent(), 'Draw a piece of clothing');
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  await page.locator('#look-title').scrollIntoViewIfNeeded();
  await page.locator('.mistake').first().waitFor({ timeout: 60_000 });
  assert.deepEqual((await page.locator('.probability-name').allTextContents()).at(-1), 'Boot');
  assert.match(await page.locator('.mistake').first().textContent(), /is (T-shirt|Trousers|Pullover|Dress|Coat|Sandal|Shirt|Sneaker|Bag|Boot)/);
});
