// Look inside: a drawing is made what MNIST's images are, and the page shows what the network makes of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { loadModule } from './support/module.mjs';
import { pageFolder } from './support/page.mjs';

const { preprocess } = await loadModule('look/preprocess.ts');
const { classNames } = await loadModule('look/classes.ts');

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
