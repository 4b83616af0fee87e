// The batch, seen: how images share the frame, and that the page draws the very batch it trains on.
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadModule } from './support/module.mjs';

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
  assert.equal(describeMosaic(60_000, drawn, 100), 'The batch of step 100: 60,000 training images; 59,850 are drawn, 150 more do not fit.');
  assert.equal(describeMosaic(8, 8, 1), 'The batch of step 1: 8 training images, all of them drawn.');
});
