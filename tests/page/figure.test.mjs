// The test, drawn: the geometry against the formulas, and the figure in the page against the numbers it tells.
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { saved } from './support/saved.mjs';
import { QUICK } from './support/settings.mjs';
import { HELD_CLOCK, advance, beforeWorker, turns } from './support/steady.mjs';

const { pictureOf, excess } = await loadModule('figure/geometry.ts');
const { layOut, lensFor, scaleBar } = await loadModule('figure/layout.ts');
const { describeShown, legendOf, observedOf } = await loadModule('figure/words.ts');

/** Without motion a figure has its final shape at once. */
const STILL = { context: { reducedMotion: 'reduce' } };

/** Sixteen samples whose gradient has length 2. */
const step = {
  step: 12,
  samples: 16,
  next_batch: 16,
  mean_norm_sq: 4,
  variance: 16,
  variance_along: 36,
  variance_orthogonal: 9,
  worker_variance: 25,
  coordinate_ratio: 64,
  required: 16,
  reasons: {},
};

const near = (actual, expected) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

test('the norm test: a disc of √(v/b) against one of η‖ḡ‖', () => {
  const picture = pictureOf({ name: 'norm', eta: 0.25, debiased: false }, step);
  assert.deepEqual(picture, {
    shape: 'disc',
    arrow: 2,
    noise: { along: 1, across: 1 },
    allowed: { along: 0.5, across: 0.5 },
    next: null,
  });
  const debiased = pictureOf({ name: 'norm', eta: 0.25, debiased: true }, step);
  near(debiased.allowed.along, 0.25 * Math.sqrt(3));
  assert.equal(debiased.arrow, 2, 'the arrow is what was measured');
  const drowned = pictureOf({ name: 'norm', eta: 0.25, debiased: true }, { ...step, variance: 100 });
  assert.equal(drowned.allowed.along, 0, 'where the noise explains everything, nothing is allowed');
});

test('the other tests draw their own two sides', () => {
  const inner = pictureOf({ name: 'inner_product', theta: 0.9, leave_one_out: false }, step);
  assert.deepEqual([inner.shape, inner.noise.across, inner.allowed.across], ['bars', null, null]);
  // √(36/16) = 1.5 in units of the squared gradient; a length is that over ‖ḡ‖ = 2.
  near(inner.noise.along, 0.75);
  near(inner.allowed.along, 1.8);
  const orthogonal = pictureOf({ name: 'orthogonality', nu: 5.84 }, step);
  assert.equal(orthogonal.noise.along, null);
  near(orthogonal.noise.across, 0.75);
  near(orthogonal.allowed.across, 11.68);
  const augmented = pictureOf({ name: 'augmented', theta: 0.9, nu: 5.84, leave_one_out: false }, step);
  assert.deepEqual(augmented.noise, { along: inner.noise.along, across: orthogonal.noise.across });
  assert.deepEqual(augmented.allowed, { along: inner.allowed.along, across: orthogonal.allowed.across });
  const worker = pictureOf({ name: 'worker_norm', eta: 0.5, workers: 4 }, step);
  assert.deepEqual([worker.shape, worker.noise.along, worker.allowed.along], ['disc', 1.25, 1]);
  const coordinate = pictureOf({ name: 'coordinate_norm', eta: 0.5, quantile: 0.9 }, step);
  assert.deepEqual([coordinate.arrow, coordinate.noise.along, coordinate.allowed.along], [1, 2, 0.5]);
  assert.equal(pictureOf({ name: 'coordinate_norm', eta: 0.5, quantile: 0.9 }, { ...step, coordinate_ratio: null }), null);
  assert.equal(pictureOf(null, step).allowed.along, null, 'without a test nothing is allowed or forbidden');
});

test('for every test the square of noise over allowed is needed over used', () => {
  const tests = [
    [{ name: 'norm', eta: 0.1, debiased: false }, 16 / (0.01 * 4)],
    [{ name: 'norm', eta: 0.1, debiased: true }, 16 / (0.01 * 3)],
    [{ name: 'inner_product', theta: 0.9, leave_one_out: false }, 36 / (0.81 * 16)],
    [{ name: 'inner_product', theta: 0.9, leave_one_out: true }, 50],
    [{ name: 'orthogonality', nu: 0.3 }, 9 / (0.09 * 4)],
    [{ name: 'augmented', theta: 0.9, nu: 0.3, leave_one_out: false }, Math.max(36 / (0.81 * 16), 9 / (0.09 * 4))],
    [{ name: 'coordinate_norm', eta: 0.5, quantile: 1 }, 64 / 0.25],
    [{ name: 'worker_norm', eta: 0.5, workers: 4 }, 25 / (0.25 * 4)],
  ];
  for (const [chosen, required] of tests) {
    const ratio = excess(pictureOf(chosen, { ...step, required })) ** 2;
    assert.ok(Math.abs(ratio / (required / step.samples) - 1) < 1e-12, `${chosen.name}: ${ratio} for ${required} of ${step.samples}`);
  }
});

test('the next batch has the noise that its size promises, and just passes where it is what is needed', () => {
  const picture = pictureOf({ name: 'norm', eta: 0.25, debiased: false }, { ...step, required: 64, next_batch: 64 });
  near(picture.next.along, picture.allowed.along);
  const capped = pictureOf({ name: 'norm', eta: 0.25, debiased: false }, { ...step, required: 64, next_batch: 32 });
  assert.ok(capped.next.along > capped.allowed.along, 'a batch that may only double is still too noisy');
});

test('one scale for all, as large as fits', () => {
  const frame = { width: 600, height: 300, margin: 20 };
  for (const noise of [0.01, 1, 40, 5000]) {
    const picture = { shape: 'disc', arrow: 2, noise: { along: noise, across: noise }, allowed: { along: 1, across: 1 }, next: null };
    const { scale, tail, tip, up } = layOut(picture, frame);
    assert.equal(up, false);
    near((tip.x - tail.x) / scale, 2);
    const reach = Math.max(noise, 1) * scale;
    const [left, right] = [Math.min(tail.x, tip.x - reach), tip.x + reach];
    assert.ok(left > 20 - 1e-6 && right < 580 + 1e-6 && reach < 130 + 1e-6, `noise ${noise} leaves the frame`);
    assert.ok(reach > 129.9 || right - left > 559.9, `noise ${noise} leaves room unused`);
    const bar = scaleBar(scale, 150);
    assert.ok(bar.width <= 150 && bar.width > 60, `a scale bar of ${bar.width}`);
    near(bar.width / bar.length, scale);
  }
});

test('what lies across the arrow gets the wide side; what is too small gets a lens', () => {
  const frame = { width: 600, height: 300, margin: 20 };
  const across = { shape: 'bars', arrow: 1, noise: { along: null, across: 3 }, allowed: { along: null, across: 6 }, next: null };
  const { up, tail, tip } = layOut(across, frame);
  assert.ok(up && tip.y < tail.y && tip.x === tail.x);
  const discs = (noise, allowed) => ({ shape: 'disc', arrow: 1, noise: { along: noise, across: noise }, allowed: { along: allowed, across: allowed }, next: null });
  const lens = (picture) => lensFor(picture, layOut(picture, frame).scale, 46);
  assert.equal(lens(discs(1, 0.5)), null, 'everything can be seen');
  assert.deepEqual(lens(discs(1, 0.01)), { factor: 20, onTip: true });
  assert.equal(lens(discs(50, 0.5)).onTip, false, 'the arrow itself is too short');
  const zero = discs(0, 0);
  assert.equal(layOut({ ...zero, arrow: 0 }, frame), null, 'nothing has no scale');
});

test('what is only reported has its name, its sizes or its reason', () => {
  const observed = {
    norm: { size: 120.2, smoothed: 98.5 },
    noise_scale: { size: null, smoothed: 1500.2, reason: 'non_positive_debiased_norm' },
    cabs: { size: null, smoothed: null, reason: 'missing_evidence' },
    simi_grad: { size: null, smoothed: null },
  };
  assert.deepEqual(observedOf({ ...step, observed }), [
    { name: 'Norm test', value: '121, 99 smoothed' },
    { name: 'Noise scale', value: '1,501 smoothed' },
    { name: 'CABS', value: 'the statistics that the rule needs were not computed' },
    { name: 'SimiGrad', value: 'not computed' },
  ]);
  assert.deepEqual(observedOf(step), []);
});

test('the sentence gives the numbers of the step', () => {
  const config = { ...QUICK, test: { name: 'norm', eta: 0.1, debiased: false } };
  const shown = { config, recorded: false, step: { ...step, samples: 1187, required: 12119.4, next_batch: 12120 } };
  assert.equal(
    describeShown(shown),
    'Step 12: the noise is 3.2 times the allowed length; 12,120 samples needed (3.2² ≈ 10.2 times as many), 1,187 used; next batch 12,120.',
  );
  assert.match(describeShown({ ...shown, recorded: true }), /^Recorded run, step 12: /);
  const held = { ...shown, step: { ...shown.step, next_batch: 2374 } };
  assert.match(describeShown(held), /next batch 2,374, the largest that the settings allow\.$/);
  const enough = { ...shown, step: { ...shown.step, required: 593.5, next_batch: 1187 } };
  assert.match(describeShown(enough), /is 0\.71 times the allowed length, so 1,187 samples were enough; the next batch stays 1,187\.$/);
  const drowned = { ...shown, step: { ...shown.step, required: null, reasons: { required: 'unbounded' } } };
  assert.match(describeShown(drowned), /noise dominates the mean gradient/);
  const marks = legendOf(shown, pictureOf(config.test, shown.step)).map(({ mark }) => mark);
  assert.deepEqual(marks, ['arrow', 'noise', 'allowed', 'next']);
});

test('“Run until the batch grows” stops where the batch grows, and the figure is to scale', browserTest(), async (t) => {
  const { page, button, waitFor, read, screenshot } = await openPage(t, STILL);
  await waitFor({ data: 'ready' });
  const next = button('Run until the batch grows');
  for (let growth = 0; growth < 3; growth += 1) {
    const last = (await read()).step;
    await next.click();
    await page.waitForFunction((step) => {
      const { phase, step: at } = document.getElementById('status').dataset;
      return phase === 'paused' && Number(at) > step;
    }, last);
    const { step, batch, nextBatch, required } = await read();
    assert.ok(nextBatch > batch, `step ${step} stopped without growth: ${batch} to ${nextBatch}`);
    await settled(page, step);
    const { radii, arrow } = await shapes(page);
    assert.ok(Math.abs((radii.noise / radii.allowed) ** 2 / (required / batch) - 1) < 0.02, 'noise against allowed is needed against used');
    assert.ok(Math.abs((radii.noise / radii.next) ** 2 / (nextBatch / batch) - 1) < 0.02, 'the dashed disc is the next batch’s noise');
    // The quick preset's threshold is 1: what is allowed is as long as the arrow.
    assert.ok(Math.abs(radii.allowed / arrow - 1) < 0.02);
    const sentence = await page.locator('#figure-sentence').textContent();
    const counts = sentence.replaceAll(',', '');
    for (const number of [step, batch, nextBatch]) assert.match(counts, new RegExp(`\\b${number}\\b`));
    assert.match(sentence, /samples needed/);
    assert.equal(await page.locator('#figure-sentence').getAttribute('aria-live'), 'polite', 'whoever asked for the step hears of it');
  }
  await screenshot('1280-light-growth');
});

test('before the first click the recorded run is drawn, then the visitor’s own', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t);
  await waitFor({ data: 'ready' });
  const sentence = page.locator('#figure-sentence');
  assert.match(await sentence.textContent(), /^Recorded run, step \d+: /);
  const { radii } = await shapes(page);
  assert.ok(radii.noise > 5 && radii.allowed > 5);
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  await page.waitForFunction(() => document.getElementById('figure-sentence').textContent.startsWith('Step 1:'));
});

test('slow motion makes one step every 1.6 seconds of the worker’s clock, and can be left', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep, read } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=2000', server: { replace: beforeWorker(HELD_CLOCK) } });
  await waitFor({ data: 'ready' });
  const slow = button('Slow motion');
  await slow.click();
  assert.equal(await slow.getAttribute('aria-pressed'), 'true');
  await button('Start').click();
  // Reports leave at most every 50 milliseconds.
  const tell = () => advance(page, 50);
  await turns(page);
  await tell();
  await waitForStep(1);
  for (const step of [1, 2, 3]) {
    await advance(page, 1500);
    await turns(page);
    assert.equal((await read()).step, step, 'too early');
    await advance(page, 100);
    await turns(page);
    await tell();
    await waitForStep(step + 1);
  }
  await slow.click();
  // The clock that stands still holds nothing up any more.
  await waitFor({ phase: 'finished' });
});

test('every test draws its figure', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, STILL);
  await waitFor({ data: 'ready' });
  await page.getByLabel('Model', { exact: true }).selectOption('logistic');
  const select = page.getByLabel('Test', { exact: true });
  const names = await select.locator('option').evaluateAll((options) => options.map(({ value }) => value));
  assert.ok(names.length >= 7);
  for (const name of names) {
    await select.selectOption(name);
    await button('Step').click();
    await waitFor({ step: '1', phase: 'paused' });
    await settled(page, 1);
    const marks = await page.evaluate(() =>
      [...document.querySelectorAll('.figure-stage > svg > g:first-child :is(circle, rect)')]
        .filter((mark) => mark.getAttribute('visibility') !== 'hidden')
        .map((mark) => {
          const { x, y, width, height } = mark.getBBox();
          return { kind: mark.parentElement.getAttribute('class'), box: { x, y, width, height } };
        }),
    );
    const kinds = new Set(marks.map(({ kind }) => kind));
    if (name === 'none' || name === '') continue;
    assert.ok(kinds.has('figure-noise') && kinds.has('figure-allowed'), `${name}: only ${[...kinds]}`);
    const { width, height } = await page.locator('.figure-stage svg').evaluate((svg) => ({ width: svg.clientWidth, height: svg.clientHeight }));
    for (const { box } of marks) {
      assert.ok([box.x, box.y, box.width, box.height].every(Number.isFinite), `${name}: not a place`);
      assert.ok(box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height, `${name}: leaves the frame`);
    }
    await button('Reset').click();
    await waitFor({ phase: 'idle' });
  }
});

/** The step is drawn: where motion is reduced, in its final shape. */
function settled(page, step) {
  return page.waitForFunction((wanted) => document.querySelector('.figure-stage').dataset.step === String(wanted), step);
}

function shapes(page) {
  return page.evaluate(() => {
    const main = document.querySelector('.figure-stage > svg > g');
    const radius = (kind) => Number(main.querySelector(`.figure-${kind} circle`).getAttribute('r'));
    const [, x1, y1, x2, y2] = /M([\d.-]+) ([\d.-]+)L([\d.-]+) ([\d.-]+)/.exec(main.querySelector('.figure-arrow').getAttribute('d')).map(Number);
    return { radii: { noise: radius('noise'), allowed: radius('allowed'), next: radius('next') }, arrow: Math.hypot(x2 - x1, y2 - y1) };
  });
}

test('what is only reported is chosen by boxes, stands beside the figure, decides nothing, and is saved', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: '#preset=quick&model=logistic&test=none&controller=constant&initial_batch=32&observe=norm' });
  await waitFor({ data: 'ready' });
  const observed = page.locator('.figure-observed');
  const group = page.locator('#setting-observe');
  await page.locator('#settings-groups summary', { hasText: 'Report only' }).click();
  assert.equal(await group.getByRole('checkbox', { name: 'Norm test', exact: true }).isChecked(), true, 'the address says so');
  for (const name of ['Noise scale', 'CABS']) await group.getByRole('checkbox', { name, exact: true }).check();
  await page.waitForFunction(() => new URLSearchParams(location.hash.slice(1)).get('observe') === 'norm noise_scale cabs');
  for (const hint of await group.locator('.field-checkbox .field-hint').allTextContents()) assert.match(hint, /^[A-Z].*\.$/);
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused', nextBatch: '32' });
  await page.waitForFunction(() => document.querySelectorAll('.figure-observed dd').length === 3);
  assert.deepEqual(await observed.locator('dt').allTextContents(), ['Norm test', 'Noise scale', 'CABS']);
  for (const value of await observed.locator('dd').allTextContents()) assert.match(value, /^[\d,.KM]+(, [\d,.KM]+ smoothed)?$|^[a-z ,]+$/);
  // Both files say the same.
  const file = JSON.parse((await saved(page, 'Save Run 1 as JSON')).bytes);
  const csv = (await saved(page, 'Save Run 1 as CSV')).bytes.toString();
  const [head, row] = csv.trimEnd().split('\n').map((line) => line.split(','));
  assert.deepEqual(Object.keys(file.observed), ['norm', 'noise_scale', 'cabs']);
  for (const [name, parts] of Object.entries(file.observed)) {
    for (const [part, [value]] of Object.entries(parts)) assert.equal(row[head.indexOf(`observed.${name}.${part}`)], String(value ?? ''), `${name} ${part}`);
    assert.ok(parts.size[0] !== null || parts.reason[0] !== null, `${name} has a size or a reason`);
  }
  assert.ok(file.observed.norm.size[0] > 0);
  // Eight at most; the others wait.
  const unchecked = group.locator('input:not(:checked)');
  for (let more = 0; more < 5; more += 1) await unchecked.first().check();
  assert.equal(await group.locator('input:checked').count(), 8);
  assert.equal(await unchecked.first().isDisabled(), true);
  for (let left = 8; left > 0; left -= 1) await group.locator('input:checked').first().uncheck();
  await button('Reset').click();
  await button('Step').click();
  await waitFor({ step: '1', phase: 'paused' });
  await observed.waitFor({ state: 'hidden' });
});

test('an address that reports something unknown says so, and keeps the rest', browserTest(), async (t) => {
  const { page, waitFor } = await openPage(t, { path: '#preset=quick&model=logistic&observe=norm cab' });
  await waitFor({ data: 'ready' });
  assert.match(await page.locator('#address-note').textContent(), /Report only cannot be read from “observe=norm cab”\. “cab” is not one of norm, /);
});
