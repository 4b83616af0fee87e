// “Show me”: five scenes, each a real run that stops at its telling moment, with its sentence and its figure in view.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hold } from './support/held.mjs';
import { browserTest, openPage } from './support/page.mjs';

/** A scene sees four times its largest batch, which is all of them. */
const FEWER = { training: 500, test: 100 };
const NAMES = ['arrow', 'growth', 'large', 'small', 'race'];
const told = (page) => page.waitForFunction(() => document.getElementById('guide').dataset.told === 'true');
const sentence = (page) => page.locator('#guide-sentence').textContent();
const sceneInAddress = (page) => page.evaluate(() => new URLSearchParams(location.search).get('scene'));

/** What has to be in view for a scene, and is not. */
function outside(page, kind) {
  const pictures = kind === 'single' ? ['.mosaic-stage', '.figure-stage'] : ['.chart-stage[data-pane=comparison-accuracy]'];
  return page.evaluate(
    (selectors) => selectors.filter((selector) => {
      const { top, bottom, left, right, width } = document.querySelector(selector).getBoundingClientRect();
      return width === 0 || top < 0 || left < 0 || bottom > innerHeight || right > innerWidth;
    }),
    ['#guide-title', '#guide-sentence', '#guide-next', ...pictures],
  );
}

/** The figure of the scene is in view, and nothing sticks out. */
async function assertInView(page, name) {
  const kind = await page.evaluate(() => document.documentElement.dataset.guide);
  assert.deepEqual(await outside(page, kind), [], name);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, name);
  assert.equal(await page.locator('#article').isVisible(), false);
}

test('the scenes tell their story, each with its figure in view, and then the page is as it was', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { context: { viewport: { width: 1280, height: 800 } }, images: FEWER });
  await waitFor({ data: 'ready' });
  await button('Show me').click();
  const sentences = [];
  for (const name of NAMES) {
    await told(page);
    assert.equal(await sceneInAddress(page), name);
    sentences.push(await sentence(page));
    await assertInView(page, name);
    await page.locator('#guide-next').click();
  }
  const [arrow, growth, large, small, race] = sentences;
  assert.match(arrow, /^The arrow is the average gradient of 8 images, and its noise is [\d.]+ times as long as the arrow: other images would have given a different arrow\.$/);
  const [, used, next] = growth.match(/^The noise is [\d.]+ times what the test allows, so (\d+) images were too few: the test requires [\d,]+, and the next batch has ([\d,]+)\.$/) ?? assert.fail(growth);
  assert.ok(Number(next.replace(',', '')) > Number(used), growth);
  assert.match(large, /^From the same [\d,]+ images, the large batch made \d+ steps? and reached [\d.]+% accuracy, the adaptive one made [\d,]+ steps and reached [\d.]+%/);
  assert.match(small, /^From the same [\d,]+ images, the small batch made [\d,]+ steps and reached [\d.]+% accuracy, the adaptive one [\d.]+% in [\d,]+ steps/);
  assert.match(race, /^From the same [\d,]+ images, the most accurate was /);
  await page.locator('#guide').waitFor({ state: 'hidden' });
  assert.equal(await sceneInAddress(page), null);
  await waitFor({ phase: 'idle' });
  assert.equal(await page.locator('#article').isVisible(), true);
  assert.equal(await page.locator('#runs').isVisible(), false);
  assert.equal(await page.locator('#runs-deleted').isVisible(), false);
});

test('on a telephone too, sentence and figure are in view', browserTest(), async (t) => {
  for (const name of ['arrow', 'large']) {
    const { page } = await openPage(t, { context: { viewport: { width: 360, height: 740 } }, path: `?scene=${name}`, images: FEWER });
    await told(page);
    await assertInView(page, name);
  }
});

test('by keyboard: forward, back and away; the focus stays where it is wanted', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  await button('Show me').focus();
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement.id === 'guide-next');
  assert.equal(await sceneInAddress(page), 'arrow');
  assert.equal(await page.locator('#guide-back').getAttribute('aria-disabled'), 'true');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.getElementById('guide-place').textContent === 'Scene 2 of 5');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.getElementById('guide-place').textContent === 'Scene 3 of 5');
  await page.keyboard.press('ArrowLeft');
  await page.waitForFunction(() => document.getElementById('guide-place').textContent === 'Scene 2 of 5');
  await page.keyboard.press('Escape');
  await page.locator('#guide').waitFor({ state: 'hidden' });
  await page.waitForFunction(() => document.activeElement.id === 'show-me');
});

test('each scene has an address, which can be opened before there are data, beside the settings of the page', browserTest(), async (t) => {
  for (const name of ['growth', 'large']) {
    const { page, button, waitFor } = await openPage(t, { path: `?class&scene=${name}#preset=quick&seed=7`, images: FEWER });
    await told(page);
    assert.equal(await sceneInAddress(page), name);
    await button('Close').click();
    await waitFor({ phase: 'idle' });
    const { search, seed } = await page.evaluate(() => ({ search: location.search, seed: new URLSearchParams(location.hash.slice(1)).get('seed') }));
    assert.deepEqual([search, seed], ['?class', '7']);
  }
  const { page } = await openPage(t, { path: '?scene=toString' });
  assert.equal(await page.locator('#guide').isVisible(), false);
});

test('a run that is under way when the scenes begin is kept, drawn as before, and the scenes leave nothing', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=100000000&max_batch=8&axis=steps', images: FEWER });
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitForStep(20);
  await button('Show me').click();
  await told(page);
  assert.match(await page.locator('#guide-ended').textContent(), /^“Run 1” was ended after step [\d,]+, and stays in the list of runs\.$/);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.getElementById('guide-place').textContent === 'Scene 3 of 5');
  await told(page);
  await page.keyboard.press('Escape');
  await page.locator('#guide').waitFor({ state: 'hidden' });
  const names = await page.locator('#runs .run-name').evaluateAll((inputs) => inputs.map(({ value }) => value));
  assert.deepEqual(names, ['Run 1']);
  assert.equal(await page.getByRole('checkbox', { name: 'Draw Run 1 in the charts' }).isChecked(), true);
  assert.equal(await page.locator('#comparison').isVisible(), false);
  assert.equal(await page.locator('#axis-steps').isChecked(), true);
});

test('a comparison of the visitor’s is there again after the scenes', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=2000&evaluate_every=1000', images: FEWER });
  await waitFor({ data: 'ready' });
  await button('Half or double threshold').click();
  await page.waitForFunction(() => document.getElementById('comparison-note').textContent.startsWith('Compared: '));
  const before = await shownComparison(page);
  assert.ok(before.visible && before.rows === 3);
  await button('Show me').click();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await told(page);
  await page.keyboard.press('Escape');
  await page.locator('#guide').waitFor({ state: 'hidden' });
  assert.deepEqual(await shownComparison(page), before);
});

function shownComparison(page) {
  return page.evaluate(() => ({
    title: document.getElementById('comparison-title').textContent,
    rows: document.querySelectorAll('#comparison-body tr').length,
    runs: [...document.querySelectorAll('#runs .run-name')].map(({ value }) => value),
    visible: document.getElementById('comparison').checkVisibility(),
  }));
}

test('Start that was pressed before there are data gives way to the scenes, and slow motion does not slow comparisons', browserTest(), async (t) => {
  const held = hold(/\.gz$/);
  const { page, button, waitFor } = await openPage(t, { images: FEWER, server: { replace: held.replace }, until: 'commit' });
  await page.waitForFunction(() => !document.getElementById('show-me').hidden && document.getElementById('main-button').textContent === 'Start');
  await button('Start').click();
  await button('Slow motion').click();
  await button('Show me').click();
  await page.waitForFunction(() => document.getElementById('guide-place').textContent === 'Scene 1 of 5');
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(() => document.getElementById('guide-place').textContent === 'Scene 2 of 5');
  await page.keyboard.press('ArrowRight');
  held.release();
  // Of thousands of steps, at 1.6 seconds each, this would not come.
  await told(page);
  await page.keyboard.press('Escape');
  await waitFor({ phase: 'idle' });
  assert.equal(await page.locator('#runs .run-name').count(), 0);
  assert.equal(await button('Slow motion').getAttribute('aria-pressed'), 'true');
});

test('with fewer images than a grown batch the batch grows to all of them', browserTest(), async (t) => {
  const { page } = await openPage(t, { path: '?scene=growth', images: { training: 20, test: 10 } });
  await told(page);
  assert.match(await sentence(page), /^The noise is .* and the next batch has 20\.$|^The noise stayed within /);
});
