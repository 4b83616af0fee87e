// The address is the state: every choice is in it, it brings every choice back, and what is wrong in it is said.
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { CATALOGUE, QUICK } from './support/settings.mjs';

const { readAddress, writeAddress, datasetInAddress } = await loadModule('url/address.ts');
const { allowedWords } = await loadModule('url/allowed-words.ts');

const quick = QUICK;
const paper = { ...quick, learning_rate: 0.008, test: { ...quick.test, eta: 0.1 }, controller: { name: 'adadagrad', growth_cap: null, window: 1, window_kind: 'sliding' }, max_batch: 60_000 };
const presets = [
  { name: 'quick', title: 'Quick', config: quick },
  { name: 'paper-cnn', title: 'Paper', config: paper },
];
const catalogue = { ...CATALOGUE, presets };
const plain = { engine: 'auto', axis: 'samples', smoothing: 0, thresholds: false };

const settings = {
  'a preset as it is': quick,
  'another preset': paper,
  'another seed': { ...quick, seed: 7 },
  'a cap that is taken away': { ...quick, controller: { name: 'adadagrad', growth_cap: null, window: 1, window_kind: 'sliding' } },
  'a number without an end in binary': { ...quick, learning_rate: 0.1 + 0.2 },
  'another optimizer with a setting of its own': {
    ...quick,
    learning_rate: 0.0021,
    optimizer: { name: 'adam', beta1: 0.8, beta2: 0.999, epsilon: 1e-8, weight_decay: 0 },
  },
  'no test': { ...quick, test: null, controller: { name: 'constant' } },
  'another test': { ...paper, test: { name: 'augmented', theta: 0.5, nu: 5.84, leave_one_out: true } },
  'a schedule': { ...quick, schedule: { warm_up_samples: 100, decay: { name: 'step', every_samples: 5000, factor: 0.3 } } },
  'a test that keeps η': { ...quick, test: { name: 'worker_norm', eta: 1, workers: 4 } },
  'a rule with settings in words': { ...quick, controller: { name: 'smith', milestones: '30K 60K', factor: 4, limit: null } },
  'what is observed, and a coupling': { ...quick, observe: 'norm cabs', coupling: 'sqrt' },
  'a rule without a test': { ...quick, test: null, controller: { name: 'stages', schedule: '0:64 1M:256' } },
  'other data': { ...quick, dataset: 'fashion_mnist' },
};

for (const [what, config] of Object.entries(settings)) {
  test(`${what} survives the way through the address`, () => {
    for (const others of [plain, { engine: 'webgpu', axis: 'seconds', smoothing: 0.35, thresholds: true }]) {
      const address = writeAddress({ settings: config, ...others }, catalogue);
      const { choices, problems } = readAddress(address, catalogue);
      assert.deepEqual(problems, []);
      assert.deepEqual(choices.settings, config);
      assert.deepEqual({ ...plain, ...choices }, { settings: config, ...others });
    }
  });
}

test('what is unknown or broken is said in a sentence, and defaults take its place', () => {
  const { choices, problems } = readAddress('#preset=slow&test.eta=banana&engine=abacus&axis=miles&smoothing=2&model=elephant&colour=red&seed=&thresholds=perhaps&max_batch=512', catalogue);
  assert.deepEqual(choices, { settings: { ...quick, max_batch: 512 } });
  for (const word of ['slow', 'banana', 'abacus', 'miles', 'smoothing=2', 'elephant', 'colour', 'seed=', 'perhaps']) {
    assert.equal(problems.filter((problem) => problem.includes(word)).length, 1, `${word}: ${problems}`);
  }
  assert.equal(problems.length, 9);
});

test('a number that is not meant as written keeps the preset’s, in the page’s words, and the rest is used', () => {
  for (const [words, label] of [
    ['learning_rate=0,001', 'Learning rate'],
    ['test.eta=1,5', 'Threshold η'],
    ['sample_budget=60.000', 'Sample budget'],
    ['initial_batch=0x10', 'Initial batch'],
    ['initial_batch=1e10', 'Initial batch'],
    ['seed=1e400', 'Seed'],
    ['controller.growth_cap=two', 'Growth cap'],
    ['optimizer.epsilon=NaN', 'AdaGrad: epsilon'],
    ['test.debiased=yes', 'Debiased ‖ḡ‖²'],
  ]) {
    const { choices, problems } = readAddress(`#preset=quick&${words}&evaluate_every=4,000`, catalogue);
    assert.deepEqual(choices.settings, { ...quick, evaluate_every: 4000 }, words);
    assert.equal(problems.length, 1);
    assert.ok(problems[0].startsWith(`${label} cannot be read from “${words}”.`) && problems[0].includes(' It stays '), problems[0]);
  }
  const counted = readAddress('#preset=quick&schedule.decay=step&schedule.decay.every_samples=1.5&schedule.decay.factor=0.25', catalogue);
  assert.deepEqual(counted.choices.settings.schedule.decay, { name: 'step', every_samples: 60_000, factor: 0.25 });
  assert.equal(counted.problems.length, 1);
  assert.match(counted.problems[0], /^Samples between decays cannot be read from “schedule\.decay\.every_samples=1\.5”\./);
});

test('an address writes a blank as “+”, and what it says twice is told', () => {
  const { choices, problems } = readAddress('#preset=quick&seed=1e+3&learning_rate=2E+0&sample_budget=60+000', catalogue);
  assert.deepEqual([choices.settings, problems], [{ ...quick, seed: 1000, learning_rate: 2, sample_budget: 60_000 }, []]);
  const twice = readAddress('#preset=quick&seed=1&seed=2&max_batch=512&max_batch=512', catalogue);
  assert.deepEqual(twice.choices.settings, { ...quick, seed: 2, max_batch: 512 });
  assert.deepEqual(twice.problems, ['“seed” is given more than once: the last one, “2”, is used.']);
});

test('an address of sixty thousand words gives short sentences', () => {
  const words = Array.from({ length: 60_000 }, (_, index) => `unknown${index}=${'9'.repeat(20)}`);
  const { choices, problems } = readAddress(`#preset=quick&seed=3&${words.join('&')}&colour=${'x'.repeat(1e6)}`, catalogue);
  assert.deepEqual(choices.settings, { ...quick, seed: 3 });
  assert.equal(problems.length, 60_001);
  assert.ok(problems.every((problem) => problem.length < 200));
});

test('of settings that cannot be run together, as few as possible are left out', async () => {
  const check = async ({ initial_batch: first, max_batch: most, learning_rate: rate }) => {
    if (!(rate > 0)) return `learning_rate is ${rate}, but must be a number above 0`;
    return first < 2 || first > most ? `initial_batch is ${first}, but must be from 2 to ${most}` : null;
  };
  for (const [words, kept] of [
    [{ seed: '4', initial_batch: '1' }, ['seed']],
    [{ initial_batch: '1', seed: '4', learning_rate: '0.1' }, ['seed', 'learning_rate']],
    [{ max_batch: '4', seed: '4' }, ['seed']],
    [{ initial_batch: '8192', max_batch: '10000' }, ['initial_batch', 'max_batch']],
    [{ initial_batch: '1', learning_rate: '-1', seed: '4' }, ['seed']],
  ]) {
    const { words: allowed, refusals } = await allowedWords(quick, new Map(Object.entries(words)), catalogue, check);
    assert.deepEqual([...allowed.keys()], kept);
    assert.deepEqual(refusals.map(({ place }) => place).sort(), Object.keys(words).filter((place) => !kept.includes(place)).sort());
  }
});

test('an anchor is no state, and prototype names are no settings', () => {
  assert.equal(readAddress('#article', catalogue), null);
  assert.equal(readAddress('', catalogue), null);
  const { choices, problems } = readAddress('#__proto__=1&constructor=2&test.toString=3', catalogue);
  assert.deepEqual(choices.settings, quick);
  assert.equal(problems.length, 3);
});

test('the data is known before the presets are', () => {
  assert.equal(datasetInAddress('#preset=quick&dataset=fashion_mnist'), 'fashion_mnist');
  assert.equal(datasetInAddress('#dataset=own'), 'mnist');
  assert.equal(datasetInAddress(''), 'mnist');
});

test('the page takes its state from the address, writes every change into it, and says what it could not use', browserTest(), async (t) => {
  const { page, waitFor, set, button } = await openPage(t);
  await waitFor({ data: 'ready' });
  await page.waitForFunction(() => location.hash.includes('preset=quick'));
  assert.equal(await page.locator('#address-note').isVisible(), false);
  await set({ Seed: 11, 'Threshold η': 0.5 });
  await page.locator('label[for=axis-seconds]').click();
  await page.locator('#engine-choice').getByText('CPU', { exact: true }).click();
  await page.getByLabel('Compare thresholds').check();
  await page.waitForFunction(() => ['seed=11', 'test.eta=0.5', 'axis=seconds', 'engine=cpu', 'thresholds=true'].every((part) => location.hash.includes(part)));
  const address = page.url();
  // Loaded anew, and typed into a page that is open.
  await page.goto('about:blank');
  await page.goto(address);
  await waitFor({ data: 'ready' });
  const shown = () =>
    page.evaluate(() => ({
      seed: document.getElementById('setting-seed').value,
      eta: document.getElementById('setting-test-eta').value,
      axis: document.querySelector('[name=axis]:checked').value,
      engine: document.querySelector('[name=engine]:checked').value,
      thresholds: document.getElementById('thresholds').checked,
    }));
  assert.deepEqual(await shown(), { seed: '11', eta: '0.5', axis: 'seconds', engine: 'cpu', thresholds: true });
  // The page writes its own state into the address before it hears of the new one. The new one counts.
  await page.evaluate(() => {
    const before = location.href;
    location.hash = '#preset=quick&seed=12&axis=steps&test.eta=many';
    history.replaceState(null, '', before);
  });
  const note = page.locator('#address-note');
  await note.waitFor({ state: 'visible' });
  assert.match(await note.textContent(), /Threshold η cannot be read from “test\.eta=many”\. This is not a number.* It stays 1\.$/);
  assert.deepEqual(await shown(), { seed: '12', eta: '1', axis: 'steps', engine: 'cpu', thresholds: true });
  assert.equal(await button('Start').getAttribute('aria-disabled'), null, 'the rest can be run');
});

test('a setting that can be read but not run is told, and the rest is used', browserTest(), async (t) => {
  const many = Array.from({ length: 1000 }, (_, index) => `unknown${index}=1`).join('&');
  const { page, waitFor, button } = await openPage(t, { path: `#preset=quick&seed=4&initial_batch=1&learning_rate=0,1&sample_budget=5,000` });
  await waitFor({ data: 'ready' });
  const value = (id) => page.locator(`#setting-${id}`).inputValue();
  const note = page.locator('#address-note');
  await page.waitForFunction(() => /Initial batch is 1/.test(document.getElementById('address-note').textContent));
  assert.match(await note.textContent(), /Learning rate cannot be read from “learning_rate=0,1”.*Initial batch is 1, but must be from 2 to .*\. The preset’s value is used\.$/);
  assert.deepEqual([await value('initial-batch'), await value('seed'), await value('learning-rate'), await value('sample-budget')], ['8', '4', '0.02', '5000']);
  assert.equal(await button('Start').getAttribute('aria-disabled'), null);
  // The one that gives way is named, also where the sentence is about another that it does not go with.
  await page.evaluate(() => (location.hash = '#preset=quick&max_batch=5'));
  await page.waitForFunction(() => /Largest batch/.test(document.getElementById('address-note').textContent));
  assert.match(await note.textContent(), /Largest batch cannot be 5\. Initial batch is 8, but must be from \d to 5\b.*\. The preset’s largest batch is used\.$/);
  assert.equal(await value('max-batch'), '4096');
  // However much is wrong, the note stays short; and it is text.
  await page.evaluate((words) => (location.hash = `#preset=<img src=x onerror=alert(1)>&${words}&axis=steps`), many);
  await page.waitForFunction(() => /998 more mistakes\.$/.test(document.getElementById('address-note').textContent));
  assert.ok((await note.textContent()).length < 700);
  assert.equal(await note.locator('*').count(), 0);
  assert.equal(await page.locator('#axis-steps').isChecked(), true);
});
