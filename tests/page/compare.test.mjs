// Comparisons: several runs one after another, drawn together, told apart; the table of runs and what is kept of it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { violations } from './support/axe.mjs';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { CATALOGUE, QUICK } from './support/settings.mjs';
import { turns } from './support/steady.mjs';

const { COMPARISONS } = await loadModule('runs/comparisons.ts');
const { describeSettings, whatSetsApart, whatChanged } = await loadModule('runs/differences.ts');
// It reads the style sheet when it is loaded.
globalThis.window = { matchMedia: () => ({ addEventListener: () => undefined }) };
globalThis.document = { documentElement: {} };
globalThis.getComputedStyle = () => ({ getPropertyValue: () => '' });
const { PATTERNS } = await loadModule('theme.ts');
const SMALL = '#preset=quick&model=logistic&sample_budget=4000&evaluate_every=2000&seed=5';

const quick = { ...QUICK, seed: 3 };

test('a comparison keeps model, seed and budget, and changes one thing', () => {
  assert.deepEqual(COMPARISONS.map(({ id }) => id), ['batches', 'tests', 'optimizers', 'thresholds']);
  for (const { id, variants } of COMPARISONS) {
    for (const settings of [quick, { ...quick, test: null, controller: { name: 'constant' } }]) {
      const made = variants(settings, CATALOGUE);
      assert.ok(made.length >= 2);
      assert.equal(new Set(made.map(({ name }) => name)).size, made.length, `${id}: two runs have the same name`);
      assert.equal(new Set(made.map(({ config }) => JSON.stringify(config))).size, made.length, `${id}: two runs are the same`);
      for (const { config } of made) {
        for (const key of ['model', 'seed', 'sample_budget', 'dataset']) assert.equal(config[key], made[0].config[key], `${id}: ${key}`);
        assert.equal(config.sample_budget, 60_000);
      }
    }
  }
  const [batches] = COMPARISONS;
  const [adaptive, small, large] = batches.variants(quick, CATALOGUE);
  assert.deepEqual([adaptive.config.test?.name, small.config.test, large.config.test], ['norm', null, null]);
  assert.deepEqual([small.config.initial_batch, large.config.initial_batch], [8, 4096]);
});

test('what sets runs apart is said, and nothing else', () => {
  const other = { ...quick, seed: 4, optimizer: { name: 'sgd', weight_decay: 0 }, learning_rate: 0.05 };
  assert.equal(whatSetsApart(quick, [quick]), '');
  assert.equal(whatSetsApart(other, [quick]), 'SGD, learning rate 0.05, seed 4');
  assert.equal(whatSetsApart({ ...quick, test: null, controller: { name: 'constant' } }, [quick]), 'no test');
  assert.equal(describeSettings(quick), 'CNN, AdaGrad, learning rate 0.02, Norm test, η 1, seed 3');
  assert.equal(whatChanged(quick, { ...quick, test: { ...quick.test, eta: 0.5 }, max_batch: 100 }), 'η 1 → 0.5, largest batch 4,096 → 100');
});

function rows(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('#runs-body tr')].map((row) => ({
      name: row.querySelector('.run-name').value,
      drawn: row.querySelector('input[type=checkbox]').checked,
      settings: row.querySelector('.run-settings').textContent,
      figures: [...row.querySelectorAll('.run-figure')].map((cell) => cell.textContent),
      dash: row.querySelector('.legend-swatch line').getAttribute('stroke-dasharray'),
      colour: row.querySelector('.legend-swatch').style.color,
    })),
  );
}

test('one click makes the adaptive, the small and the large run, drawn together', browserTest(), async (t) => {
  const { page, button, waitFor, screenshot } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  // Small runs are soon over: all that is said of them is kept.
  await page.evaluate(() => {
    globalThis.said = [];
    const note = document.getElementById('comparison-note');
    new MutationObserver(() => globalThis.said.push(note.textContent)).observe(note, { childList: true, characterData: true, subtree: true });
  });
  await button('Adaptive, small or large batch').click();
  await page.waitForFunction(() => /^Compared:/.test(document.getElementById('comparison-note').textContent));
  assert.match((await page.evaluate(() => globalThis.said))[0], /^Run 1 of 3: Adaptive from 8/);
  const made = await rows(page);
  assert.deepEqual(made.map(({ name }) => name), ['Adaptive from 8', 'Constant 8', 'Constant 4,096']);
  assert.ok(made.every(({ drawn }) => drawn));
  assert.deepEqual(made.map(({ figures }) => figures[0]).slice(1), ['500', '1'], 'the steps that 4,000 images make');
  assert.equal(new Set(made.map(({ colour }) => colour)).size, 3);
  assert.equal(new Set(made.map(({ dash }) => dash)).size, 3, 'a pattern besides the colour');
  assert.match(made[1].settings, /no test/);
  for (const id of ['batch', 'loss', 'accuracy', 'speed']) {
    await page.waitForFunction((chart) => document.querySelectorAll(`#chart-${chart} .legend-entry`).length === 3, id);
  }
  await screenshot('1280-light-comparison');
  for (const summary of await page.locator('.table-twin summary').all()) await summary.click();
  assert.deepEqual(await violations(page), []);
  // Hidden ones are drawn no longer; the settings are still the visitor's own.
  await page.getByLabel('Draw Constant 8 in the charts').uncheck();
  await page.waitForFunction(() => document.querySelectorAll('#chart-loss .legend-entry').length === 2);
  assert.equal(await page.locator('#setting-test').inputValue(), 'norm');
  assert.equal(await page.locator('#setting-seed').inputValue(), '5');
});

test('a run begun again hides the one before it, and with other settings is drawn beside it', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  const drawn = async () => (await rows(page)).map((row) => row.drawn);
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  await button('Start again').click();
  await page.waitForFunction(() => document.querySelectorAll('#runs-body tr').length === 2);
  await waitFor({ phase: 'finished' });
  assert.deepEqual(await drawn(), [false, true]);
  await page.locator('#setting-seed').fill('6');
  await button('Start again').click();
  await page.waitForFunction(() => document.querySelectorAll('#runs-body tr').length === 3);
  assert.deepEqual(await drawn(), [false, true, true]);
});

/** WCAG 2's contrast of two colours, each #rrggbb. */
function contrast(one, other) {
  const luminance = (colour) => {
    const [red, green, blue] = [1, 3, 5].map((start) => {
      const share = parseInt(colour.slice(start, start + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [low, high] = [luminance(one), luminance(other)].sort((first, second) => first - second);
  return (high + 0.05) / (low + 0.05);
}

test('runs’ colours stand out from the page, light and dark, and each has a pattern of its own', browserTest(), async (t) => {
  const { page } = await openPage(t);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const { ground, colours } = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement);
      const colour = (name) => style.getPropertyValue(name).trim();
      return { ground: colour('--page'), colours: Array.from({ length: 8 }, (_, slot) => colour(`--run-${slot}`)) };
    });
    assert.equal(new Set(colours).size, 8);
    for (const colour of colours) assert.ok(contrast(colour, ground) >= 3, `${colour} on ${ground}, ${colorScheme}`);
  }
  assert.equal(new Set(PATTERNS.map(String)).size, 8);
});

test('a run that a comparison ends stays in the list, however short, and so does one that ends a comparison', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep } = await openPage(t, { path: '#preset=quick&model=logistic&seed=5&max_batch=8' });
  await waitFor({ data: 'ready' });
  await button('Step').click();
  await waitFor({ phase: 'paused', step: '1' });
  // Its runs of small batches take hours.
  await button('Slow motion').click();
  await button('Norm or inner product test').click();
  await page.waitForFunction(() => /“Run 1” was ended after step 1, and stays in the list of runs\.$/.test(document.getElementById('comparison-note').textContent));
  await waitForStep(1);
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  assert.deepEqual((await rows(page)).map(({ name }) => name), ['Run 1', 'Norm test']);
  assert.match(await page.locator('#comparison-note').textContent(), /was stopped; its runs so far are listed below/);
  // An attempt that its visitor drops is not worth a line.
  await button('Step').click();
  await waitFor({ phase: 'paused', step: '1' });
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  assert.deepEqual((await rows(page)).map(({ name }) => name), ['Run 1', 'Norm test']);
});

test('a comparison stops when the visitor resets', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: '#preset=quick&seed=5' });
  await waitFor({ data: 'ready' });
  await button('AdaGrad, Adam or SGD').click();
  await waitFor({ phase: 'running' });
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  assert.match(await page.locator('#comparison-note').textContent(), /was stopped/);
  await turns(page);
  await waitFor({ phase: 'idle' });
});

/** Waits until the browser's database holds the runs of these names: it is written behind the page's back. */
function keptIs(page, names) {
  return page.waitForFunction(async (wanted) => {
    const open = indexedDB.open('adadagrad', 1);
    await new Promise((resolve) => (open.onsuccess = resolve));
    const request = open.result.transaction('runs').objectStore('runs').getAll();
    await new Promise((resolve) => (request.onsuccess = resolve));
    open.result.close();
    return JSON.stringify(request.result.map(({ name }) => name)) === JSON.stringify(wanted);
  }, names);
}

test('runs are named, kept from visit to visit, and deleted', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  await page.getByLabel('Name of the run').fill('The first');
  await page.getByLabel('Name of the run').press('Enter');
  await button('Keep The first when the page is closed').click();
  const [before] = await rows(page);
  await button('Start again').click();
  await waitFor({ phase: 'finished' });
  await page.waitForFunction(() => document.querySelectorAll('#runs-body tr').length === 2);
  await keptIs(page, ['The first']);
  await page.reload();
  await waitFor({ data: 'ready' });
  await page.waitForFunction(() => document.querySelectorAll('#runs-body tr').length === 1);
  const [after] = await rows(page);
  assert.deepEqual([after.name, after.figures], [before.name, before.figures]);
  assert.equal(after.drawn, false, 'the page opens with what is new');
  await page.getByLabel('Draw The first in the charts').check();
  await page.waitForFunction(() => /grew from 8/.test(document.querySelector('#chart-batch [role=img]').ariaLabel));
  await page.locator('#recorded-note').waitFor({ state: 'hidden' });
  await button('Delete The first').click();
  await page.waitForFunction(() => document.querySelectorAll('#runs-body tr').length === 0);
  await keptIs(page, []);
  // It can be brought back, and is kept again.
  assert.match(await page.locator('#runs-deleted').textContent(), /“The first” was deleted\./);
  await button('Undo').click();
  await page.waitForFunction(() => document.querySelectorAll('#runs-body tr').length === 1);
  await keptIs(page, ['The first']);
  const [restored] = await rows(page);
  assert.deepEqual([restored.name, restored.figures, await page.locator('#runs-deleted').isVisible()], [before.name, before.figures, false]);
  await button('Delete The first').click();
  await page.waitForFunction(() => document.querySelectorAll('#runs-body tr').length === 0);
  await keptIs(page, []);
  await page.reload();
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitForStep(1);
  assert.equal((await rows(page)).filter(({ name }) => name === 'The first').length, 0, 'deleted for good');
});

test('where the browser keeps nothing, that is said', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, {
    path: SMALL,
    prepare: (page) =>
      page.addInitScript(() => {
        IDBObjectStore.prototype.put = () => {
          throw new DOMException('full', 'QuotaExceededError');
        };
      }),
  });
  await waitFor({ data: 'ready' });
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  await button('Keep Run 1 when the page is closed').click();
  const note = page.locator('#runs-note');
  await note.waitFor({ state: 'visible' });
  assert.match(await note.textContent(), /“Run 1” cannot be kept\. The browser’s storage is full/);
  assert.equal(await page.getByRole('button', { name: 'Keep Run 1 when the page is closed' }).getAttribute('aria-pressed'), 'false');
});
