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

test('what is turned, compared, kept and read as a table needs no mouse', browserTest(), async (t) => {
  const { page, waitFor } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=4000&evaluate_every=2000' });
  await waitFor({ data: 'ready' });
  const tabTo = async (selector) => {
    for (let presses = 0; presses < 120; presses += 1) {
      await page.keyboard.press('Tab');
      const found = await page.evaluate((wanted) => {
        const { outlineStyle } = getComputedStyle(document.activeElement);
        return { here: document.activeElement.matches(wanted), visible: outlineStyle !== 'none' };
      }, selector);
      if (!found.here) continue;
      assert.ok(found.visible, `the focus on ${selector} cannot be seen`);
      return;
    }
    assert.fail(`Tab never reaches ${selector}`);
  };
  await tabTo('#knob-threshold');
  await page.keyboard.press('ArrowLeft');
  await page.waitForFunction(() => document.getElementById('setting-test-eta').value !== '1');
  assert.equal(await page.locator('#knob-threshold').getAttribute('aria-valuetext'), await page.locator('#setting-test-eta').inputValue());
  await tabTo('#compare-tests');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => /^Compared:/.test(document.getElementById('comparison-note').textContent));
  assert.equal(await page.evaluate(() => document.activeElement.id), 'compare-tests', 'the focus stays on the button');
  await tabTo('#runs-body input[type=checkbox]');
  await page.keyboard.press('Space');
  await page.waitForFunction(() => document.querySelectorAll('#chart-loss .legend-entry').length === 1);
  await tabTo('.run-name');
  await page.keyboard.press('Control+A');
  await page.keyboard.type('My norm test');
  await page.keyboard.press('Enter');
  await tabTo('[aria-label="Keep My norm test when the page is closed"]');
  await page.keyboard.press('Space');
  await page.waitForFunction(() => document.activeElement.getAttribute('aria-pressed') === 'true');
  await tabTo('#smoothing');
  await page.keyboard.press('End');
  assert.equal(await page.locator('#smoothing-value').textContent(), '0.99');
  await tabTo('#chart-batch summary');
  await page.keyboard.press('Enter');
  await page.locator('#chart-batch tbody tr').first().waitFor();
  await tabTo('#chart-batch .chart-buttons button');
  const saved = page.waitForEvent('download');
  await page.keyboard.press('Enter');
  assert.equal((await saved).suggestedFilename(), 'adadagrad-batch.svg');
});
