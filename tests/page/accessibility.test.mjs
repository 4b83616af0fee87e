// For everybody: axe-core finds nothing in any state; a hidden tab pauses; forced colours and reduced motion hold.
import assert from 'node:assert/strict';
import test from 'node:test';
import { violations } from './support/axe.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { changeScheme, frames, turns } from './support/steady.mjs';

/** Narrow and wide, all rules in light, and what colours can break in dark. */
async function checkAll(page, moment) {
  for (const width of [360, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    await changeScheme(page, 'light');
    assert.deepEqual(await violations(page), [], `${moment}, ${width} px`);
    await changeScheme(page, 'dark');
    assert.deepEqual(await violations(page, {}, ['color-contrast', 'link-in-text-block']), [], `${moment}, ${width} px, dark`);
  }
}

test('axe-core finds nothing before, during and after training: narrow and wide, light and dark', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep, set } = await openPage(t, { images: { test: 200 } });
  await waitFor({ data: 'ready' });
  await openDetails(page);
  await checkAll(page, 'before');
  await set({ 'Sample budget': 100_000_000 });
  await button('Start').click();
  await waitForStep(5);
  // It goes on, and leaves the processor to axe-core.
  await button('Slow motion').click();
  await page.locator('#look').scrollIntoViewIfNeeded();
  await checkAll(page, 'during');
  await waitFor({ phase: 'running' });
  await button('Pause').click();
  await waitFor({ phase: 'paused' });
  await button('Slow motion').click();
  // Only what is in view is kept up to date.
  await page.locator('#look-title').scrollIntoViewIfNeeded();
  await page.locator('.mistake').first().waitFor();
  await checkAll(page, 'paused, with mistakes and weights');
  await button('Reset').click();
  await set({ 'Sample budget': 500 });
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  await checkAll(page, 'after');
});

test('axe-core would find something', browserTest(), async (t) => {
  const { page, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  await page.evaluate(() => {
    document.querySelector('.lead').style.color = '#ccc';
    document.getElementById('mosaic-text').remove();
  });
  const found = (await violations(page)).join('\n');
  assert.match(found, /color-contrast/);
  assert.match(found, /role-img-alt/);
});

test('a hidden tab pauses, says so, and goes on when it is seen again', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep, read, set } = await openPage(t);
  await waitFor({ data: 'ready' });
  await set({ 'Sample budget': 100_000_000 });
  await button('Start').click();
  await waitForStep(3);
  await setHidden(page, true);
  await waitFor({ phase: 'paused' });
  const note = page.locator('.hidden-note');
  assert.match(await note.textContent(), /Paused, because this tab is hidden/);
  const { step } = await read();
  await setHidden(page, false);
  await waitFor({ phase: 'running' });
  assert.match(await note.textContent(), /paused while this tab was hidden, and has resumed/);
  await waitForStep(step + 2);
  // Whoever paused it wants it paused, and whoever unticks the box wants it to go on.
  await button('Pause').click();
  await waitFor({ phase: 'paused' });
  await setHidden(page, true);
  await setHidden(page, false);
  await page.getByLabel('Pause while this tab is hidden').uncheck();
  await turns(page);
  await waitFor({ phase: 'paused' });
  await button('Resume').click();
  await waitFor({ phase: 'running' });
  await setHidden(page, true);
  const before = (await read()).step;
  await waitForStep(before + 3);
});

test('forced colours keep the figure, the bars and the table apart', browserTest(), async (t) => {
  const { page, button, waitFor, screenshot } = await openPage(t, { context: { forcedColors: 'active', colorScheme: 'dark' } });
  await waitFor({ data: 'ready' });
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  const strokes = await page.evaluate(() =>
    ['noise', 'allowed'].map((mark) => getComputedStyle(document.querySelector(`.figure-stage .figure-${mark} circle`)).stroke),
  );
  assert.notEqual(strokes[0], strokes[1]);
  assert.ok(!strokes.includes('none'));
  // The browser chooses the colours here; axe-core still reckons with the style sheet's.
  assert.deepEqual(await violations(page, { 'color-contrast': { enabled: false } }), []);
  await screenshot('1280-forced-colours');
});

test('with reduced motion nothing moves by itself', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { context: { reducedMotion: 'reduce' } });
  await waitFor({ data: 'ready' });
  // The recorded run's, drawn once.
  await page.waitForFunction(() => document.querySelector('.figure-stage').dataset.step !== undefined);
  await page.evaluate(() => {
    // How often the dashed disc, the expected noise of the next batch, gets another radius.
    globalThis.radii = [];
    const disc = document.querySelector('.figure-stage .figure-next circle');
    new MutationObserver(() => globalThis.radii.push(disc.getAttribute('r'))).observe(disc, { attributes: true, attributeFilter: ['r'] });
  });
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  await page.waitForFunction(() => document.querySelector('.figure-stage').dataset.step === '1');
  // Whatever moves has another place after some frames.
  await frames(page, 10);
  assert.equal(new Set(await page.evaluate(() => globalThis.radii)).size <= 1, true, 'the disc moved');
  const moving = await page.evaluate(() => document.getAnimations().filter(({ playState }) => playState === 'running').length);
  assert.equal(moving, 0);
});

test('what changes by itself is announced politely, and not all of it', browserTest(), async (t) => {
  const { page, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  const live = await page.evaluate(() =>
    [...document.querySelectorAll('[aria-live], [role=status], [role=alert], [role=log]')].map((element) => element.id || element.className),
  );
  assert.ok(live.includes('sentence') && live.includes('notice'), `only ${live}`);
  // Numbers that change many times a second must not be.
  const loud = await page.evaluate(() =>
    ['number-batch', 'number-step', 'progress-step-text', 'mosaic-text', 'figure-sentence'].filter((id) => document.getElementById(id).closest('[aria-live], [role=status]') !== null),
  );
  assert.deepEqual(loud, []);
});

async function openDetails(page) {
  await page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true;
  });
}

/** Headless pages are always visible: this says otherwise, as the browser would. */
function setHidden(page, hidden) {
  return page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden ? 'hidden' : 'visible');
}
