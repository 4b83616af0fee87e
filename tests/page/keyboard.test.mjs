// The page by keyboard alone.
import assert from 'node:assert/strict';
import test from 'node:test';
import { browserTest, openPage } from './support/page.mjs';

test('Tab reaches Start, Enter starts, Space pauses, and the focus is always to be seen', browserTest(), async (t) => {
  const { page, waitFor, waitForStep, read } = await openPage(t);
  await waitFor({ data: 'ready' });
  const focused = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      const shown = element.matches('.segmented input') ? element.nextElementSibling : element;
      const { outlineStyle, outlineWidth } = getComputedStyle(shown);
      return { id: element.id, tag: element.tagName, visible: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 };
    });
  const tabTo = async (id) => {
    for (let presses = 0; presses < 60; presses += 1) {
      await page.keyboard.press('Tab');
      const now = await focused();
      assert.ok(now.visible, `the focus on ${now.tag}#${now.id} cannot be seen`);
      if (now.id === id) return;
    }
    assert.fail(`Tab never reaches #${id}`);
  };
  await tabTo('main-button');
  await page.keyboard.press('Enter');
  await waitForStep(2);
  await page.keyboard.press('Space');
  await waitFor({ phase: 'paused' });
  assert.equal((await focused()).id, 'main-button', 'the focus stays on the button');
  await tabTo('step-button');
  const { step } = await read();
  await page.keyboard.press('Enter');
  await waitFor({ step: String(step + 1), phase: 'paused' });
  await tabTo('reset-button');
  await page.keyboard.press('Space');
  await waitFor({ phase: 'idle', step: '0' });
  assert.equal((await focused()).id, 'reset-button', 'the focus stays on the button');
  // On to the settings: choose a test, type a value, open the folded part.
  await tabTo('axis-samples');
  await page.keyboard.press('ArrowRight');
  assert.equal((await focused()).id, 'axis-steps');
  await tabTo('setting-test');
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() => document.getElementById('setting-test').value === 'inner_product');
  assert.equal((await focused()).id, 'setting-test', 'the focus stays on the list');
  await tabTo('setting-initial-batch');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('16');
  await page.waitForFunction(() => document.getElementById('preset').value === '');
});
