// Was it worth it? What a step costs here, what fewer steps save, and who was first: all from what was measured.
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { QUICK } from './support/settings.mjs';

const { StepLog } = await loadModule('runs/step-log.ts');
const { stepCost } = await loadModule('worth/step-cost.ts');
const { describeCost, describeDearerSteps, describeFirst, describeSaving } = await loadModule('worth/words.ts');

/** A log of steps of these sizes, each as long as `seconds` says. */
function logOf(sizes, seconds) {
  const log = new StepLog();
  let seen = 0;
  sizes.forEach((samples, index) => log.add({ step: index + 1, samples, samples_seen: (seen += samples), seconds: seconds(samples, index), loss: 1, next_batch: samples, reasons: {} }));
  return log;
}

const near = (actual, expected) => assert.ok(Math.abs(actual / expected - 1) < 1e-9, `${actual} is not ${expected}`);

test('the fixed part and the part per sample are found, whatever single steps took', () => {
  const sizes = [8, 8, 8, 64, 64, 64, 512, 512, 512];
  // Every third step was interrupted.
  const { fixed, perSample } = stepCost(logOf(sizes, (samples, index) => 2e-3 + 5e-5 * samples + (index % 3 === 1 ? 1 : 0)));
  near(fixed, 2e-3);
  near(perSample, 5e-5);
});

test('without sizes far enough apart, or without times, nothing is said', () => {
  assert.equal(stepCost(logOf([8, 8, 16], () => 1e-3)), null);
  assert.equal(stepCost(logOf([8, 64], () => 0)), null);
  assert.equal(stepCost(new StepLog()), null);
});

test('no part is negative', () => {
  const { fixed, perSample } = stepCost(logOf([8, 64], (samples) => 1e-5 * samples ** 1.2));
  assert.equal(fixed, 0);
  assert.ok(perSample > 1e-5);
  assert.equal(stepCost(logOf([8, 64], (samples) => 1 / samples)).perSample, 0);
});

test('the sentences have the numbers of the fit', () => {
  const run = { log: logOf([8, 64, 512], (samples) => 2e-3 + 5e-5 * samples), config: QUICK };
  const cost = { fixed: 2e-3, perSample: 5e-5 };
  assert.equal(describeCost(run, cost), 'Measured in this run, a step costs 2 ms, and 50 µs per sample: a batch of 8 takes 2.4 ms, one of 512 takes 27.6 ms.');
  assert.equal(describeSaving(run, cost), 'So the 3 steps of this run take about 35.2 ms; in batches of 8, the same 584 samples would be 73 steps and take about 175 ms.');
  assert.equal(
    describeCost(run, { fixed: 1e-5, perSample: 5e-5 }),
    'Measured in this run, a step costs 50 µs per sample and hardly anything besides: a batch of 8 takes 410 µs, one of 512 takes 25.6 ms.',
  );
  const constant = { log: logOf([8, 8], () => 1e-3), config: QUICK };
  assert.equal(describeSaving(constant, cost), '', 'a batch that did not grow saved nothing');
});

test('who was first is said by seconds, steps and samples; who never was, too', () => {
  const run = (name, accuracies) => ({
    name,
    config: QUICK,
    log: logOf(accuracies.map(() => 8), () => 1),
    evaluations: accuracies.map((accuracy, index) => ({ step: index + 1, samples_seen: 8 * (index + 1), accuracy, loss: 1, elapsed: index + 1 })),
  });
  const slow = run('Slow', [0.5, 0.96]);
  assert.equal(
    describeFirst([slow, run('Fast', [0.97, 0.98]), run('Never', [0.1, 0.2])]),
    'To 95% accuracy, the fastest was Fast (1 s); the fewest steps were made by Fast (1 step), and the fewest samples were needed by Fast (8 samples). Not reached by: Never.',
  );
  assert.equal(describeFirst([run('One', [0.1]), run('Two', [0.2])]), 'None of these runs reached 95% accuracy with its samples.');
  assert.equal(describeFirst([slow]), '');
});

test('with dearer steps another run may be first, from a cost on that is said', () => {
  const run = (name, count, seconds) => ({
    name,
    config: QUICK,
    log: logOf(Array(count).fill(8), () => seconds / count),
    evaluations: [{ step: count, samples_seen: 8 * count, accuracy: 0.96, loss: 1, elapsed: seconds }],
  });
  const [small, adapted, large] = [run('Small', 100, 1), run('Adapted', 20, 2), run('Large', 5, 4)];
  assert.equal(
    describeDearerSteps([large, small, adapted]),
    'If each step took 12.5 ms longer, for example to exchange gradients between machines, Adapted would be as fast as Small; beyond that, it would be faster.',
  );
  assert.equal(describeDearerSteps([run('Both', 5, 1), small]), 'Even if steps took longer, for example to exchange gradients between machines, Both would still be the fastest.');
  assert.equal(describeDearerSteps([small]), '');
});

test('after a run its cost is told, after a comparison who was first', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=6000&evaluate_every=2000' });
  await waitFor({ data: 'ready' });
  const text = (id) => page.locator(`#${id}`).textContent();
  assert.equal(await text('worth-measured'), '');
  await button('Start').click();
  await waitFor({ phase: 'finished' });
  await page.waitForFunction(() => /^Measured in this run, a step costs .* in batches of 8, the same [\d,]+ samples would be [\d,]+ steps/.test(document.getElementById('worth-measured').textContent));
  await button('Half or double threshold').click();
  await page.waitForFunction(() => /^(To 95% accuracy, the fastest was |None of these runs reached 95% )/.test(document.getElementById('worth-compared').textContent));
  assert.match(await text('shown-run'), /^Shown here: “η = 2”$/);
});
