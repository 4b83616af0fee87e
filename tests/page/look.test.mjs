// Look inside: a drawing is made what MNIST's images are, and the page shows what the network makes of it.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { BOTH_MNISTS } from './support/data-files.mjs';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage, pageFolder } from './support/page.mjs';
import { saved } from './support/saved.mjs';

const { preprocess } = await loadModule('look/preprocess.ts');
const { classNames } = await loadModule('classes.ts');

const SIDE = 28;
const AREA = SIDE * SIDE;
const testImages = gunzipSync(readFileSync(join(pageFolder, 'data/mnist/t10k-images-idx3-ubyte.gz'))).subarray(16);
/** So many that a network that reads most of them still makes more mistakes than are shown. */
const TEST_IMAGES = 3000;

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

/** What the first visit's network has learned: the others begin with it. */
let model = null;

/** A page whose network has learned enough to read digits, resting. */
async function trained(t, options = {}) {
  const opened = await openPage(t, { images: { test: TEST_IMAGES }, path: '#preset=quick&sample_budget=10000&evaluate_every=10000', ...options });
  const { page, button, waitFor } = opened;
  await waitFor({ data: 'ready' });
  if (model === null) {
    await button('Start').click();
    await waitFor({ phase: 'finished' });
    model = (await saved(page, 'Save the model')).bytes;
  } else {
    await page.locator('#model-file').setInputFiles({ name: 'trained.safetensors', mimeType: 'application/octet-stream', buffer: model });
    await waitFor({ phase: 'paused', step: '0' });
  }
  await page.locator('#look-title').scrollIntoViewIfNeeded();
  return opened;
}

const readAs = (page, digit) =>
  page.waitForFunction((wanted) => document.querySelector('.probabilities').dataset.best === String(wanted), digit);

test('on a desktop', browserTest(), async (t) => {
  const { page, button, read, screenshot } = await trained(t);

  await t.test('digits drawn with the mouse are read', async () => {
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
    await button('Clear').click();
    await page.waitForFunction(() => document.querySelector('.probabilities').dataset.best === undefined);
    const circle = Array.from({ length: 25 }, (_, index) => [0.5 + 0.24 * Math.sin(index / 4), 0.5 - 0.33 * Math.cos(index / 4)]);
    await draw(circle);
    await readAs(page, 0);
    const shares = await page.locator('.probability-value').allTextContents();
    const sum = shares.reduce((total, text) => total + Number.parseFloat(text), 0);
    assert.ok(Math.abs(sum - 100) < 1, `the probabilities add up to ${sum} %`);
    await screenshot('1280-light-look-drawn');
  });

  await t.test('a pen draws too', async () => {
    await button('Clear').click();
    const pad = page.locator('.pad-canvas');
    await pad.scrollIntoViewIfNeeded();
    const box = await pad.boundingBox();
    const session = await page.context().newCDPSession(page);
    const pen = (type, x, y) =>
      session.send('Input.dispatchMouseEvent', {
        type,
        x: box.x + x * box.width,
        y: box.y + y * box.height,
        button: 'left',
        buttons: type === 'mouseReleased' ? 0 : 1,
        clickCount: 1,
        force: 0.5,
        pointerType: 'pen',
      });
    // Heard before the pen is put down: the two sessions do not wait for each other.
    await page.evaluate(() => {
      self.pointerKind = new Promise((tell) => document.querySelector('.pad-canvas').addEventListener('pointerdown', ({ pointerType }) => tell(pointerType), { once: true }));
    });
    await pen('mousePressed', 0.52, 0.15);
    for (let move = 1; move <= 8; move += 1) await pen('mouseMoved', 0.52 - 0.005 * move, 0.15 + 0.085 * move);
    await pen('mouseReleased', 0.48, 0.83);
    assert.equal(await page.evaluate(() => self.pointerKind), 'pen');
    await readAs(page, 1);
  });

  await t.test('a digit can be drawn by keyboard, or a test image picked', async () => {
    await button('Clear').click();
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
      await page.getByLabel('Or pick a test image by number').fill(String(sample));
      await button('Show').click();
      await readAs(page, digit);
    }
    await page.getByLabel('Or pick a test image by number').fill(String(TEST_IMAGES));
    await button('Show').click();
    await page.getByText('enter a number from 0 to 2,999').waitFor();
  });

  await t.test('the test set: counts that add up, mistakes that are ones, weights of the first layer', async () => {
    // The look at the last parameters: there may have been earlier ones.
    const { step } = await read();
    await page.waitForFunction((last) => document.querySelector('.look-summary').textContent.includes(`step ${last},`), step);
    const counts = (await page.locator('.confusion-table tbody td').allTextContents()).map(Number);
    assert.equal(counts.length, 100);
    assert.equal(counts.reduce((sum, count) => sum + count, 0), TEST_IMAGES);
    const right = counts.filter((_, index) => index % 11 === 0).reduce((sum, count) => sum + count, 0);
    const summary = await page.locator('.look-summary').textContent();
    assert.ok(summary.replaceAll(',', '').includes(`${right} of ${TEST_IMAGES}`), `${summary} for ${right}`);
    const labels = gunzipSync(readFileSync(join(pageFolder, 'data/mnist/t10k-labels-idx1-ubyte.gz'))).subarray(8, 8 + TEST_IMAGES);
    const mistakes = await page.locator('.mistake:visible').evaluateAll((buttons) =>
      buttons.map((button) => ({ sample: Number(button.dataset.sample), words: [...button.children].slice(1).map(({ textContent }) => textContent) })),
    );
    assert.ok(mistakes.length === 24, `${mistakes.length} mistakes`);
    const shares = mistakes.map(({ words }) => Number.parseFloat(words[2]));
    shares.slice(1).forEach((share, index) => assert.ok(share <= shares[index], 'the surest comes first'));
    for (const { sample, words } of mistakes) {
      assert.equal(words[0], `is ${labels[sample]}`);
      assert.notEqual(words[1], `classified as ${labels[sample]}`);
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
    assert.match(await page.locator('.confusion-detail').textContent(), new RegExp(`^${counts[11].toLocaleString('en-US')} of the ${labels.filter((label) => label === 1).length} images of 1 are classified correctly`));
    await screenshot('1280-light-look');
  });
});

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

test('a finger draws and does not scroll the page; a second finger does not disturb it', browserTest(), async (t) => {
  const { page, button } = await trained(t, { context: PHONE });
  const { touch, scrolled } = await fingers(page);
  const pad = page.locator('.pad-canvas');
  await button('Clear').click();
  await page.waitForFunction(() => document.querySelector('.probabilities').dataset.best === undefined);
  await pad.evaluate((canvas) => canvas.scrollIntoView({ block: 'center' }));
  const box = await pad.boundingBox();
  const at = (x, y, id = 0) => ({ x: box.x + x * box.width, y: box.y + y * box.height, id });
  const before = await scrolled();
  const shares = () => page.locator('.probability-value').allTextContents();
  await touch('touchStart', [at(0.52, 0.12)]);
  for (let move = 1; move <= 6; move += 1) await touch('touchMove', [at(0.52 - 0.002 * move, 0.12 + 0.06 * move)]);
  // The finger is still down: what is drawn so far is read already.
  await page.waitForFunction(() => document.querySelector('.probabilities').dataset.best !== undefined);
  const half = await shares();
  const resting = at(0.05, 0.05, 1);
  await touch('touchStart', [at(0.508, 0.48), resting]);
  for (let move = 1; move <= 6; move += 1) await touch('touchMove', [at(0.508 - 0.002 * move, 0.48 + 0.06 * move), at(0.05 + 0.01 * move, 0.05, 1)]);
  await touch('touchEnd', []);
  await readAs(page, 1);
  await page.waitForFunction((earlier) => {
    const now = [...document.querySelectorAll('.probability-value')].map(({ textContent }) => textContent);
    return now.join() !== earlier.join();
  }, half);
  assert.equal(await scrolled(), before, 'the page scrolled under the finger');
  const ink = await pad.evaluate((canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width / 4, canvas.height / 4).data.some((value) => value > 0));
  assert.equal(ink, false, 'the second finger drew');
  // After the stroke the next one begins where the finger is put down, and not where the last one ended.
  await button('Clear').click();
  await touch('touchStart', [at(0.2, 0.2)]);
  await touch('touchEnd', []);
  const lower = await pad.evaluate((canvas) => canvas.getContext('2d').getImageData(0, canvas.height / 2, canvas.width, canvas.height / 2).data.some((value) => value > 0));
  assert.equal(lower, false, 'two strokes were joined');
  // Elsewhere the same finger scrolls: these touches are real ones.
  const summary = await page.locator('.look-summary').boundingBox();
  const start = { x: 180, y: Math.min(summary.y + 10, 700), id: 0 };
  await touch('touchStart', [start]);
  for (let move = 1; move <= 10; move += 1) await touch('touchMove', [{ ...start, y: start.y - 20 * move }]);
  await touch('touchEnd', []);
  await page.waitForFunction((y) => scrollY > y + 50, before);
});

/** Touches as the browser gets them from a screen, gestures included. */
async function fingers(page) {
  const session = await page.context().newCDPSession(page);
  return {
    touch: (type, touchPoints) => session.send('Input.dispatchTouchEvent', { type, touchPoints }),
    scrolled: () => page.evaluate(() => Math.round(scrollY)),
  };
}

const noFashion = existsSync(join(pageFolder, 'data/fashion_mnist')) ? {} : { skip: 'the page was built without Fashion-MNIST' };

test('Fashion-MNIST has its own names', browserTest(noFashion), async (t) => {
  const { page, button, waitFor } = await openPage(t, { images: { folders: BOTH_MNISTS }, path: '#preset=quick&model=logistic&dataset=fashion_mnist' });
  await waitFor({ data: 'ready' });
  await page.locator('#look-title').scrollIntoViewIfNeeded();
  assert.equal(await page.locator('.look-draw h3').textContent(), 'Draw a piece of clothing');
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  await page.locator('#look-title').scrollIntoViewIfNeeded();
  await page.locator('.mistake').first().waitFor();
  assert.deepEqual((await page.locator('.probability-name').allTextContents()).at(-1), 'Boot');
  assert.match(await page.locator('.mistake').first().textContent(), /is (T-shirt|Trousers|Pullover|Dress|Coat|Sandal|Shirt|Sneaker|Bag|Boot)/);
});
