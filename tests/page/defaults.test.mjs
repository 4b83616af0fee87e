// The page starts every choice with the core's defaults, as the program does, and has a field for each of its settings.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openEngine } from './support/engine.mjs';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { CATALOGUE, DEFAULTS, QUICK, TEXT } from './support/settings.mjs';

const { chooseController, chooseDecay, chooseOptimizer, chooseTest, CONTROLLERS } = await loadModule('settings/choices.ts');
const { fieldSpecs } = await loadModule('settings/field-specs.ts');
const { flatten } = await loadModule('settings/flat.ts');
const { inPageWords } = await loadModule('settings/problem.ts');
const { hintOf } = await loadModule('settings/rows.ts');
const { againstRule } = await loadModule('rule-words.ts');
const { CONTROLLER_ROWS } = await loadModule('settings/table.ts');

/** Every test, rule, optimizer and decay, each in the quick preset. */
const CHOSEN = [
  ...DEFAULTS.tests.map(({ name }) => chooseTest(QUICK, name, DEFAULTS)),
  ...Object.keys(CONTROLLERS).map((name) => chooseController(QUICK, name)),
  ...DEFAULTS.optimizers.map(({ name }) => chooseOptimizer(QUICK, name, DEFAULTS)),
  ...DEFAULTS.decays.map(({ name }) => chooseDecay(QUICK, name, DEFAULTS)),
  TEXT,
];

test('the worker reports the core’s defaults, and they are these', browserTest(), async (t) => {
  const { next } = await openEngine(t);
  const { defaults, presets } = await next('module');
  assert.deepEqual(defaults, DEFAULTS);
  assert.deepEqual(presets[0].config, QUICK);
  assert.deepEqual(presets.find(({ name }) => name === 'text').config, TEXT);
});

test('a choice has the defaults; only η is kept from one test to the next', () => {
  for (const defaults of DEFAULTS.tests) {
    const wanted = 'eta' in defaults ? { ...defaults, eta: QUICK.test.eta } : defaults;
    assert.deepEqual(chooseTest(QUICK, defaults.name, DEFAULTS).test, wanted);
    const without = { ...QUICK, test: null, controller: { name: 'constant' } };
    const chosen = chooseTest(without, defaults.name, DEFAULTS);
    assert.deepEqual([chosen.test, chosen.controller], [defaults, { name: 'adadagrad', growth_cap: null, window: 1, window_kind: 'sliding' }]);
  }
  for (const optimizer of DEFAULTS.optimizers) assert.deepEqual(chooseOptimizer(QUICK, optimizer.name, DEFAULTS).optimizer, optimizer);
  for (const decay of DEFAULTS.decays) assert.deepEqual(chooseDecay(QUICK, decay.name, DEFAULTS).schedule.decay, decay);
});

test('every setting has a field with a title, and what is wrong with it is said with that title', () => {
  for (const config of CHOSEN) {
    // The data are chosen above the form. What is only for images has no field where a text is learned, and the reverse.
    const unused = config === TEXT ? /^(dataset$|augmentation\.|normalisation$)/ : /^(dataset$|text\.)/;
    const fields = fieldSpecs(config, CATALOGUE);
    for (const place of Object.keys(flatten(config))) {
      assert.ok(!fields.has(place) || !unused.test(place), place);
      if (unused.test(place)) continue;
      const { id, label } = fields.get(place) ?? assert.fail(`${place} has no field`);
      assert.doesNotMatch(label, /_/);
      const { message, fieldId } = inPageWords(`${place.split('.').at(-1)} is -1, but must be something else`, fields);
      assert.equal(message.toLowerCase(), `${label} is -1, but must be something else.`.toLowerCase());
      assert.equal(fieldId, id);
    }
  }
});

test('in the form a new choice shows the defaults', browserTest(), async (t) => {
  const { page, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  await page.locator('#settings-groups summary', { hasText: 'More' }).click();
  const shown = (prefix, settings) =>
    page.evaluate(
      ([start, keys]) =>
        Object.fromEntries(
          keys.map((key) => {
            const field = document.getElementById(`setting-${start}-${key.replaceAll('_', '-')}`);
            return [key, field.type === 'checkbox' ? field.checked : Number(field.value)];
          }),
        ),
      [prefix, Object.keys(settings)],
    );
  for (const [prefix, choices, kept] of [
    ['test', DEFAULTS.tests, { eta: QUICK.test.eta }],
    ['optimizer', DEFAULTS.optimizers, {}],
    ['decay', DEFAULTS.decays, {}],
  ]) {
    for (const { name, ...settings } of choices) {
      await page.getByLabel('Preset', { exact: true }).selectOption('quick');
      await page.locator(`#setting-${prefix}`).selectOption(name);
      const wanted = Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, kept[key] ?? value]));
      assert.deepEqual(await shown(prefix, settings), wanted, name);
    }
  }
});

test('each rule for the next batch says in the form what it does, and has its settings there', browserTest(), async (t) => {
  const { page, waitFor, set } = await openPage(t);
  await waitFor({ data: 'ready' });
  for (const { name, doc, fields } of CONTROLLER_ROWS) {
    await page.locator('#setting-controller').selectOption(name);
    assert.equal(await page.locator('#hint-controller').textContent(), `${doc} ${againstRule(name)}`.trim());
    const ids = await page.locator('[id^="setting-controller-"]').evaluateAll((inputs) => inputs.map(({ id }) => id));
    assert.deepEqual(ids, fields.map((row) => `setting-controller-${row.name.replaceAll('_', '-')}`));
    // Each with its own sentence, switches too.
    const hints = await page.evaluate((all) => all.map((id) => document.getElementById(document.getElementById(id).getAttribute('aria-describedby').split(' ').at(-1)).textContent), ids);
    assert.deepEqual(hints, fields.map((row) => hintOf(row)));
  }
  await set({ 'Rule for the next batch': 'List of sizes', Stages: '0:64 1M' });
  const problem = page.locator('#settings-problem');
  await problem.waitFor({ state: 'visible' });
  assert.match(await problem.textContent(), /^Stages: "0:64 1M": entry 2 is not of the form start:size/);
  assert.equal(await page.locator('#setting-controller-schedule').getAttribute('aria-invalid'), 'true');
  await set({ Stages: '0:64 1M:256' });
  await problem.waitFor({ state: 'hidden' });
});

test('a rule that needs no test stays without one, and AdAdaGrad brings one along', browserTest(), async (t) => {
  const { page, waitFor, set } = await openPage(t);
  await waitFor({ data: 'ready' });
  const chosen = () => page.evaluate(() => ['test', 'controller'].map((id) => document.getElementById(`setting-${id}`).value));
  await set({ 'Rule for the next batch': 'SimiGrad', Test: 'No test' });
  assert.deepEqual(await chosen(), ['none', 'simi_grad']);
  await set({ 'Rule for the next batch': 'AdAdaGrad' });
  assert.deepEqual(await chosen(), ['norm', 'adadagrad']);
  await set({ Test: 'No test' });
  assert.deepEqual(await chosen(), ['none', 'constant']);
  await page.locator('#settings-problem').waitFor({ state: 'hidden' });
});

test('the decay of the learning rate is set in the form', browserTest(), async (t) => {
  const { page, waitFor, set } = await openPage(t);
  await waitFor({ data: 'ready' });
  await page.locator('#settings-groups summary', { hasText: 'More' }).click();
  await set({ 'Learning-rate decay': 'Step', 'Samples between decays': '5,000', 'Decay factor': 2 });
  const problem = page.locator('#settings-problem');
  await problem.waitFor({ state: 'visible' });
  assert.match(await problem.textContent(), /^Decay factor is 2, but must be above 0 and at most 1/);
  await set({ 'Decay factor': 0.25 });
  await problem.waitFor({ state: 'hidden' });
  const words = ['schedule.decay=step', 'schedule.decay.every_samples=5000', 'schedule.decay.factor=0.25'];
  await page.waitForFunction((all) => all.every((word) => location.hash.includes(word)), words);
});
