// Links that show a run, one picture alone, or the page of a class.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';

const { readView } = await loadModule('view/view.ts');

const SETTINGS = '#preset=quick&model=logistic&sample_budget=6000&evaluate_every=2000&seed=5';
/** What stands after the page's own address. */
const pathOf = (link) => link.slice(link.indexOf('/a/sub-path/') + '/a/sub-path/'.length);

test('a link shows a run before it is trained again, and has its settings', browserTest(), async (t) => {
  const first = await openPage(t, { path: SETTINGS });
  await first.waitFor({ data: 'ready' });
  await first.button('Start').click();
  await first.waitFor({ phase: 'finished' });
  const label = (page) => page.locator('#chart-batch [role=img]').getAttribute('aria-label');
  await first.page.getByLabel('Name of the run').fill('For you');
  await first.page.getByLabel('Name of the run').press('Enter');
  await first.page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  await first.button('Copy a link to For you').click();
  const link = await first.page.locator('#runs-note a').getAttribute('href');
  assert.ok(link.length < 32_000, `${link.length} characters`);
  const { step, batch } = await first.read();
  const drawn = await label(first.page);

  const { page, button, waitFor, waitForStep } = await openPage(t, { path: pathOf(link) });
  await waitFor({ data: 'ready' });
  await page.waitForFunction(() => document.getElementById('recorded-note').textContent.startsWith('“For you”, the run of the link: '));
  assert.equal(await label(page), drawn);
  await page.waitForFunction((steps) => document.getElementById('number-step').textContent === steps, step.toLocaleString('en-US'));
  assert.equal(await page.locator('#number-batch').textContent(), batch.toLocaleString('en-US'));
  assert.equal(await page.locator('#address-note').isVisible(), false);
  const chosen = await page.evaluate(() => ['preset', 'model', 'sample_budget', 'seed', 'run'].map((word) => new URLSearchParams(location.hash.slice(1)).get(word)));
  assert.deepEqual(chosen.slice(1, 4), ['logistic', '6000', '5']);
  await button('Start').click();
  await waitForStep(1);
  await page.locator('#recorded-note').waitFor({ state: 'hidden' });
});

test('the link of a long run has the first and the last of its steps', browserTest(), async (t) => {
  const first = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=8000&max_batch=8&evaluate_every=4000' });
  await first.waitFor({ data: 'ready' });
  await first.button('Start').click();
  await first.waitFor({ phase: 'finished', step: '1000' });
  await first.page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  await first.button('Copy a link to Run 1').click();
  const link = await first.page.locator('#runs-note a').getAttribute('href');
  assert.ok(link.length < 48_000, `${link.length} characters`);
  const { page } = await openPage(t, { path: pathOf(link) });
  await page.waitForFunction(() => /in 1,000 steps over 8,000 samples/.test(document.getElementById('recorded-note').textContent));
});

test('a link that was cut off says so, and its settings hold', browserTest(), async (t) => {
  for (const run of ['abc', '', 'q1YqSS0u', '%00']) {
    const { page, waitFor } = await openPage(t, { path: `${SETTINGS}&run=${run}` });
    await waitFor({ data: 'ready' });
    await page.locator('#recorded-note').waitFor({ state: 'visible' });
    assert.match(await page.locator('#recorded-note').textContent(), /^The run in the address could not be read: /);
    assert.equal(await page.locator('#address-note').isVisible(), false);
    assert.equal(await page.getByLabel('Seed', { exact: true }).inputValue(), '5');
  }
});

test('what the address says of the view is read as it is written', () => {
  assert.deepEqual(readView(''), { embed: null, isForClass: false, problem: null });
  assert.deepEqual(readView('?embed=chart'), { embed: 'chart', isForClass: false, problem: null });
  assert.deepEqual(readView('?class'), { embed: null, isForClass: true, problem: null });
  for (const wrong of ['tset', '', 'toString']) assert.match(readView(`?embed=${wrong}`).problem, /^“embed=.*” is not valid: embed must be batch, test or chart\.$/);
});

for (const [embed, picture] of [['batch', '.mosaic-stage'], ['test', '.figure-stage'], ['chart', '#chart-batch .chart-stage']]) {
  test(`?embed=${embed} is one picture alone, which begins by itself`, browserTest(), async (t) => {
    const { page, waitFor, waitForStep } = await openPage(t, { context: { viewport: { width: 640, height: 400 } }, path: `?embed=${embed}#preset=quick&model=logistic&sample_budget=100000000&max_batch=64` });
    await waitForStep(20);
    const { width, height, sideways, others } = await page.evaluate((selector) => {
      const shown = document.querySelector(selector);
      const box = shown.getBoundingClientRect();
      const visible = [...document.querySelectorAll('h1, h2, p, dl, button, select, table, figcaption')].filter((element) => element.checkVisibility({ opacityProperty: true }) && !element.closest('.visually-hidden'));
      return { width: box.width, height: box.height, sideways: document.documentElement.scrollWidth - innerWidth, others: visible.map((element) => element.id || element.className || element.tagName) };
    }, picture);
    assert.ok(width > 560 && height > 300, `${width}×${height}`);
    assert.equal(sideways, 0);
    assert.deepEqual(others, []);
    await page.locator(picture).click();
    await waitFor({ phase: 'paused' });
    await page.locator(picture).click();
    await waitFor({ phase: 'running' });
    // By keyboard too.
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await waitFor({ phase: 'paused' });
  });
}

test('?class has the settings of its link, and nothing to change them with', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: `?class${SETTINGS}` });
  await waitFor({ data: 'ready' });
  for (const hidden of ['.settings', '.knobs', '.preset', '.runs']) assert.equal(await page.locator(hidden).isVisible(), false, hidden);
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  assert.equal(await page.locator('#stage').isVisible(), true);
  assert.equal(await page.evaluate(() => new URLSearchParams(location.hash.slice(1)).get('seed')), '5');
});

test('the entry to cite has the version of the page', async () => {
  const html = await readFile(new URL('../../www/index.html', import.meta.url), 'utf8');
  const { version } = JSON.parse(await readFile(new URL('../../www/package.json', import.meta.url), 'utf8'));
  assert.match(html, new RegExp(`version = \\{${version.replaceAll('.', '\\.')}\\}`));
  assert.match(html, /eprint = \{2402\.11215\}/);
});
