// Race the rules: several rules of batch-size control on the same seed, data and budget, drawn in one chart, with a table; stopped,
// continued, discarded, saved; rules that are refused say why.
import assert from 'node:assert/strict';
import test from 'node:test';
import { violations } from './support/axe.mjs';
import { stickingOut } from './support/layout.mjs';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { saved } from './support/saved.mjs';
import { CATALOGUE, QUICK } from './support/settings.mjs';
import { changeScheme, chartsDrawn, eventually } from './support/steady.mjs';

const { MOST_RACERS, raceVariants, usualRacers } = await loadModule('runs/race-variants.ts');
const { outcomeOf } = await loadModule('runs/outcome.ts');
const { noiseScales } = await loadModule('runs/noise-scale.ts');
const { StepLog } = await loadModule('runs/step-log.ts');
const { CONTROLLER_ROWS } = await loadModule('settings/table.ts');

const RULES = CONTROLLER_ROWS.map(({ name }) => name);
const SMALL = '#preset=quick&model=logistic&sample_budget=24000&evaluate_every=6000&seed=5';

test('a race changes the rule alone: seed, network, data and budget stay', () => {
  const settings = { ...QUICK, seed: 3 };
  const variants = raceVariants(settings, CATALOGUE, RULES, 60_000);
  assert.equal(new Set(variants.map(({ name }) => name)).size, RULES.length);
  variants.forEach(({ config }, index) => {
    assert.equal(config.controller.name, RULES[index]);
    for (const key of ['model', 'seed', 'sample_budget', 'dataset', 'learning_rate', 'max_batch', 'evaluate_every']) assert.equal(config[key], settings[key], key);
    assert.deepEqual(config.optimizer, settings.optimizer);
    assert.deepEqual(config.test, settings.test, 'the variance is measured in each run');
    assert.ok(config.min_batch <= config.initial_batch && config.initial_batch <= config.max_batch);
  });
  const named = Object.fromEntries(variants.map(({ name, config }) => [name, config]));
  assert.equal(named['Constant 64'].initial_batch, 64);
  assert.equal(named.AdAdaGrad.initial_batch, 8);
  assert.deepEqual(named.AdAdaGrad.controller, QUICK.controller);
  assert.equal(named['List of sizes'].controller.schedule, '0:64 25000:256 50000:1024');
  assert.equal(named['Smith et al.'].controller.milestones, '40000 60000 80000');
});

test('rules that go by epochs get the changes that the budget has room for, and the settings’ own rule stays as it is', () => {
  const settings = { ...QUICK, sample_budget: 600_000 };
  const everyEpochs = (samples) => raceVariants(settings, CATALOGUE, ['geometric', 'dive_batch'], samples).map(({ config }) => config.controller.every_epochs);
  assert.deepEqual(everyEpochs(60_000), [2, 2]);
  assert.deepEqual(everyEpochs(6_000), [20, 20]);
  assert.deepEqual(everyEpochs(600_000), [1, 1]);
  const own = { ...settings, controller: { name: 'geometric', every_epochs: 7, factor: 3, gamma: 1 }, initial_batch: 16 };
  const [{ config }] = raceVariants(own, CATALOGUE, ['geometric'], 60_000);
  assert.deepEqual([config.controller, config.initial_batch], [own.controller, 16]);
  const [{ note }] = raceVariants({ ...QUICK, sample_budget: 50_000 }, CATALOGUE, ['dive_batch'], 60_000);
  assert.match(note, /end of an epoch, but the budget is at most one epoch/);
});

test('a test that would sweep twice decides for its own rule alone', () => {
  const settings = { ...QUICK, test: { name: 'augmented', theta: 0.9, nu: 5.84, leave_one_out: false } };
  const [adaptive, constant, bigBatch] = raceVariants(settings, CATALOGUE, ['adadagrad', 'constant', 'big_batch'], 60_000);
  assert.deepEqual([adaptive, constant, bigBatch].map(({ config }) => config.test.name), ['augmented', 'norm', 'norm']);
  const [again] = raceVariants({ ...QUICK, test: null, controller: { name: 'constant' } }, CATALOGUE, ['adadagrad'], 60_000);
  assert.deepEqual([again.config.test, again.config.controller], [QUICK.test, QUICK.controller]);
});

test('the usual choice has CABS where its optimizer is used', () => {
  assert.equal(usualRacers(QUICK).includes('cabs'), false);
  assert.equal(usualRacers({ optimizer: { name: 'sgd', weight_decay: 0 } }).includes('cabs'), true);
  assert.ok(usualRacers(QUICK).length >= 4 && usualRacers({ optimizer: { name: 'sgd', weight_decay: 0 } }).length <= MOST_RACERS);
});

const record = (step, others) => ({
  version: 1, step, samples: 4, samples_seen: 4 * step, loss: 1, training_accuracy: 0.5, learning_rate: 0.1, mean_norm_sq: 3, sum_squared_norms: null,
  variance: 8, variance_along: null, variance_orthogonal: null, coordinate_ratio: null, worker_variance: null, required: null, threshold: null,
  next_batch: 4, reasons: {}, seconds: 0.5, ...others,
});

test('the noise scale is a ratio of averages, undefined where noise dominates, and not computed without a variance', () => {
  const log = new StepLog();
  assert.deepEqual(noiseScales(log), { values: new Float64Array(0), measured: false });
  log.add(record(1, {}));
  // 8 ∕ (3 − 8/4).
  assert.ok(Math.abs(noiseScales(log).values[0] - 8) < 1e-12);
  log.add(record(2, { variance: 2, mean_norm_sq: 1 }));
  log.add(record(3, { variance: null }));
  log.add(record(4, { variance: 4000 }));
  const { values, measured } = noiseScales(log);
  const ratio = (0.95 * 8 + 2) / (0.95 * 1 + 0.5);
  assert.ok(Math.abs(values[1] - ratio) < 1e-12, `${values[1]} is not ${ratio}`);
  assert.ok(Number.isNaN(values[2]) && Number.isNaN(values[3]) && measured);
  const without = new StepLog();
  without.add(record(1, { variance: null }));
  assert.equal(noiseScales(without).measured, false);
});

test('the outcome of a run: when it was accurate first, and where it ended', () => {
  const log = new StepLog();
  for (let step = 1; step <= 4; step += 1) log.add(record(step, {}));
  const evaluations = [[1, 0.9], [2, 0.951], [4, 0.94]].map(([step, accuracy]) => ({ step, samples_seen: 4 * step, accuracy, loss: 1, elapsed: step / 2 }));
  assert.deepEqual(outcomeOf({ config: QUICK, log, evaluations }), { samplesToTarget: 8, secondsToTarget: 1, stepsToTarget: 2, samples: 16, seconds: 2, steps: 4, averageBatch: 4, accuracy: 0.94 });
  assert.deepEqual(outcomeOf({ config: QUICK, log: new StepLog(), evaluations: [] }), {
    samplesToTarget: null, secondsToTarget: null, stepsToTarget: null, samples: null, seconds: null, steps: null, averageBatch: null, accuracy: null,
  });
});

/** The table of the comparison: name, state and figures, or the reason of each row. */
function results(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('#comparison-body tr')].map((row) => ({
      name: row.querySelector('.entry-name').textContent,
      state: row.querySelector('.entry-state').dataset.state,
      reason: row.querySelector('.entry-reason')?.textContent ?? null,
      figures: Object.fromEntries([...row.querySelectorAll('.run-figure')].map((cell) => [cell.dataset.title, cell.textContent])),
    })),
  );
}

const raceIsOver = (page) => page.waitForFunction(() => /^Compared:/.test(document.getElementById('comparison-note').textContent));

/** The ids of the rules' boxes in a state. */
function boxes(page, state) {
  return page.locator(`#race-rules input${state}`).evaluateAll((found) => found.map(({ id }) => id));
}

async function chooseRules(page, ...names) {
  await page.locator('#race-rules-summary').click();
  for (const id of await boxes(page, ':checked')) await page.locator(`#${id}`).uncheck();
  for (const name of names) await page.locator('#race-rules').getByLabel(name, { exact: true }).check();
}

test('one click races the usual rules; one chart draws batch, accuracy and noise scale of all', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  await button('Race the rules').click();
  await raceIsOver(page);
  const names = ['Constant 64', 'AdAdaGrad', 'DiveBatch', 'Gradient noise scale', 'AdaBatch'];
  const rows = await results(page);
  assert.deepEqual(rows.map(({ name }) => name), names);
  assert.ok(rows.every(({ state }) => state === 'finished'));
  for (const { name, figures } of rows) {
    const number = (title) => Number(figures[title].replaceAll(',', ''));
    assert.ok(number('Samples') >= 24_000 && number('Seconds') > 0, name);
    assert.equal(Math.round(number('Samples') / number('Steps')), number('Average batch'), name);
    assert.match(figures.Accuracy, /^\d\d\.\d%$/);
    // A softmax regression does not get there.
    assert.deepEqual([figures['Samples to 95%'], figures['Seconds to 95%']], ['not reached', 'not reached']);
    assert.match(figures['Noise scale'], /^[\d,.KM]+$|^noise dominates$/, name);
  }
  assert.equal(rows[0].figures.Steps, '375', 'the steps of 64 that 24,000 samples make');
  // All of them in each pane, and in all charts.
  await chartsDrawn(page);
  const legends = await page.evaluate(() => [...document.querySelectorAll('#chart-comparison .chart-legend')].map((legend) => [...legend.querySelectorAll('.legend-label')].map((label) => label.textContent)));
  assert.deepEqual(legends, [names, names, names]);
  assert.equal(await page.locator('#chart-loss .legend-entry').count(), 5);
  assert.deepEqual(await page.locator('#chart-comparison h3').allTextContents(), ['Batch size', 'Test accuracy', 'Noise scale']);
  // The switch is the charts' own.
  await page.locator('#chart-comparison summary').click();
  for (const [axis, head] of [['steps', 'Step'], ['seconds', 'Seconds of training'], ['samples', 'Samples seen']]) {
    await page.locator(`label[for=comparison-axis-${axis}]`).click();
    assert.equal(await page.locator(`#axis-${axis}`).isChecked(), true);
    await eventually(
      async () => {
        await page.locator('#chart-comparison summary').click();
        await page.locator('#chart-comparison summary').click();
        return page.locator('#chart-comparison thead th').first().textContent();
      },
      (found) => assert.equal(found, head),
    );
  }
});

test('a race is saved: chart, steps, and a file of runs that is opened again', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  await chooseRules(page, 'Constant batch', 'Gradient noise scale');
  await button('Race the rules').click();
  await raceIsOver(page);
  await chartsDrawn(page);
  const svg = await saved(page, 'Comparison: save as SVG');
  assert.equal(svg.name, 'adadagrad-comparison.svg');
  const drawing = svg.bytes.toString();
  assert.equal(drawing.match(/<svg/g).length, 4, 'three panes in one picture');
  for (const title of ['Batch size', 'Test accuracy', 'Noise scale']) assert.ok(drawing.includes(`>${title}<`), title);
  const png = await saved(page, 'Comparison: save as PNG');
  assert.deepEqual([png.name, png.bytes.subarray(1, 4).toString()], ['adadagrad-comparison.png', 'PNG']);
  const csv = (await saved(page, 'Save all runs as CSV')).bytes.toString().trimEnd().split('\n');
  assert.match(csv[0], /^run,step,samples,/);
  assert.equal(csv.filter((line) => line.startsWith('"Constant 64",')).length, 375);
  assert.ok(csv.every((line) => line.split(',').length === csv[0].split(',').length));
  const commas = (await saved(page, 'Save all runs as CSV 0,5, with decimal commas')).bytes.toString().split('\n');
  assert.match(commas[1], /^"Constant 64";1;64;64;\d+,\d+;/);
  const file = await saved(page, 'Save all runs as JSON');
  assert.equal(file.name, 'adadagrad-race-the-rules.json');
  assert.deepEqual(JSON.parse(file.bytes).runs.map(({ name }) => name), ['Constant 64', 'Gradient noise scale']);
  await button('Discard the comparison').click();
  await page.locator('#comparison').waitFor({ state: 'hidden' });
  assert.equal(await page.locator('#runs-body tr').count(), 0, 'runs that are not kept go with it');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'race-button');
  await page.locator('#run-file').setInputFiles({ name: file.name, mimeType: 'application/json', buffer: file.bytes });
  await page.waitForFunction(() => document.querySelectorAll('#runs-body tr').length === 2);
  assert.match(await page.locator('#files-note-text').textContent(), /^2 runs from “adadagrad-race-the-rules\.json” are in the list of runs\.$/);
  // One that is damaged takes none of the others in.
  const damaged = JSON.parse(file.bytes);
  damaged.runs[1].config = null;
  await page.locator('#run-file').setInputFiles({ name: 'x.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(damaged)) });
  await page.waitForFunction(() => /“x\.json” is not a valid saved run: config/.test(document.getElementById('files-note-text').textContent));
  assert.equal(await page.locator('#runs-body tr').count(), 2);
});

test('a rule that is refused says why in its row, and the others run', browserTest(), async (t) => {
  const { page, button, waitFor, screenshot } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  await chooseRules(page, 'Constant batch', 'CABS');
  await button('Race the rules').click();
  await raceIsOver(page);
  const [constant, cabs] = await results(page);
  assert.deepEqual([constant.state, cabs.state], ['finished', 'refused']);
  assert.match(cabs.reason, /^Optimizer does not fit: CABS assumes the steps of plain SGD\.$/);
  assert.equal(await page.locator('#notice').isVisible(), false, 'no trouble of the page');
  assert.match(await page.locator('#comparison-note').textContent(), /^Compared: Constant 64\./);
  assert.deepEqual(await violations(page), []);
  await screenshot('1280-light-race-refused');
  await page.locator('#setting-optimizer').selectOption('sgd');
  await button('Race the rules').click();
  await page.waitForFunction(() => document.querySelectorAll('#comparison-body [data-state=finished]').length === 2);
});

test('a run that fails leaves its reason in its row', browserTest(), async (t) => {
  // Whatever the batch: a learning rate that is too high for any number.
  const { page, button, waitFor } = await openPage(t, { path: `${SMALL}&learning_rate=1e38&optimizer=sgd` });
  await waitFor({ data: 'ready' });
  await page.locator('#setting-learning-rate').fill('1e38');
  await chooseRules(page, 'Constant batch', 'AdAdaGrad');
  await button('Race the rules').click();
  await raceIsOver(page);
  const rows = await results(page);
  assert.deepEqual(rows.map(({ state }) => state), ['failed', 'failed']);
  for (const note of await page.locator('#comparison-body tr').allTextContents()) assert.match(note, /not (a finite|finite|a number)/i, note);
});

test('a race is stopped and continued, by its own button, by Start and by Reset', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep } = await openPage(t, { path: `${SMALL}&sample_budget=24000` });
  await waitFor({ data: 'ready' });
  await chooseRules(page, 'Constant batch', 'AdaBatch');
  // Steps come slowly: a run is under way for as long as the test wants.
  await button('Slow motion').click();
  await button('Race the rules').click();
  await waitForStep(1);
  const stop = page.locator('#comparison-stop');
  await stop.click();
  await waitFor({ phase: 'paused' });
  assert.equal(await stop.textContent(), 'Continue');
  assert.match(await page.locator('#comparison-note').textContent(), /^Stopped at run 1 of 2: Constant 64\./);
  await stop.click();
  await waitFor({ phase: 'running' });
  assert.equal(await stop.textContent(), 'Stop');
  assert.equal((await results(page))[0].state, 'running');
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  const [constant, adaBatch] = await results(page);
  assert.deepEqual([constant.state, adaBatch.state], ['stopped', 'waiting']);
  assert.match(await page.locator('#comparison-note').textContent(), /was stopped; its runs so far are listed below/);
  // What is left is made, the run that was cut off from its start.
  await button('Slow motion').click();
  await stop.click();
  await raceIsOver(page);
  const rows = await results(page);
  assert.deepEqual(rows.map(({ state, figures }) => [state, figures.Samples]), [['finished', '24,000'], ['finished', rows[1].figures.Samples]]);
  assert.equal(await stop.getAttribute('aria-disabled'), 'true');
});

test('a race needs no mouse, and what was chosen is remembered', browserTest(), async (t) => {
  const { page, waitFor } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=4000&evaluate_every=2000' });
  await waitFor({ data: 'ready' });
  const tabTo = async (selector) => {
    for (let presses = 0; presses < 120; presses += 1) {
      await page.keyboard.press('Tab');
      const found = await page.evaluate((wanted) => {
        const element = document.activeElement;
        const shown = element.matches('.segmented input') ? element.nextElementSibling : element;
        const { outlineStyle } = getComputedStyle(shown);
        return { here: element.matches(wanted), visible: outlineStyle !== 'none' };
      }, selector);
      if (!found.here) continue;
      assert.ok(found.visible, `the focus on ${selector} cannot be seen`);
      return;
    }
    assert.fail(`Tab never reaches ${selector}`);
  };
  await page.locator('#knob-learning-rate').focus();
  await tabTo('#race-rules-summary');
  await page.keyboard.press('Enter');
  await tabTo('#race-dive_batch');
  await page.keyboard.press('Space');
  assert.match(await page.locator('#race-rules-summary').textContent(), /^Rules in the race: 4 of 15$/);
  await tabTo('#race-linear');
  await page.keyboard.press('Space');
  await page.locator('#race-button').focus();
  await page.keyboard.press('Enter');
  await raceIsOver(page);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'race-button', 'the focus stays on the button');
  assert.deepEqual((await results(page)).map(({ name }) => name), ['Constant 64', 'AdAdaGrad', 'Gradient noise scale', 'Linear growth', 'AdaBatch']);
  await tabTo('#comparison-axis-samples');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.locator('#axis-steps').isChecked(), true);
  await tabTo('#comparison-discard');
  await page.keyboard.press('Enter');
  await page.locator('#comparison').waitFor({ state: 'hidden' });
  assert.equal(await page.evaluate(() => document.activeElement.id), 'race-button');
  await page.reload();
  await waitFor({ data: 'ready' });
  assert.deepEqual(await boxes(page, ':checked'), ['race-constant', 'race-adadagrad', 'race-gradient_noise_scale', 'race-linear', 'race-geometric']);
});

test('no more rules than there are colours, and no fewer than two', browserTest(), async (t) => {
  const { page, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  await page.locator('#race-rules-summary').click();
  assert.equal((await boxes(page, '')).length, 15);
  for (const id of (await boxes(page, ':not(:checked)')).slice(0, 3)) await page.locator(`#${id}`).check();
  assert.equal((await boxes(page, ':disabled')).length, 15 - MOST_RACERS);
  assert.equal(await page.locator('#race-rules input:checked').count(), MOST_RACERS);
  assert.match(await page.locator('#race-rules-summary').textContent(), /8 of 15, the most at once/);
  for (const id of (await boxes(page, ':checked')).slice(1)) await page.locator(`#${id}`).uncheck();
  assert.equal(await page.locator('#race-button').getAttribute('aria-disabled'), 'true');
  await page.getByRole('button', { name: 'Usual choice' }).click();
  assert.equal(await page.locator('#race-rules input:checked').count(), 5);
  assert.equal(await page.locator('#race-button').getAttribute('aria-disabled'), null);
});

test('at all widths, in both schemes, with large text and forced colours a race fits in and can be read', browserTest(), async (t) => {
  const { page, button, waitFor, screenshot } = await openPage(t, { path: SMALL, context: { viewport: { width: 1280, height: 900 } } });
  await waitFor({ data: 'ready' });
  await button('Race the rules').click();
  await raceIsOver(page);
  await page.locator('#race-rules-summary').click();
  for (const width of [360, 768, 1280, 2560]) {
    await page.setViewportSize({ width, height: 900 });
    for (const scheme of width === 360 || width === 1280 ? ['light', 'dark'] : ['light']) {
      await changeScheme(page, scheme);
      await chartsDrawn(page);
      await eventually(() => stickingOut(page), (found) => assert.deepEqual(found, [], `${width} px`));
      assert.deepEqual(await violations(page, {}, ['color-contrast', 'target-size', 'label', 'region', 'list', 'scrollable-region-focusable']), [], `${width} px, ${scheme}`);
      await screenshot(`${width}-${scheme}-race`);
    }
  }
  await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
  for (const width of [640, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    await chartsDrawn(page);
    await eventually(() => stickingOut(page), (found) => assert.deepEqual(found, [], `text at 200 %, ${width} px`));
    await screenshot(`${width}-light-race-large-text`);
  }
  await page.evaluate(() => (document.documentElement.style.fontSize = ''));
  await page.emulateMedia({ forcedColors: 'active' });
  await screenshot('1280-forced-race');
});
