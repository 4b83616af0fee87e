// The training worker itself: checkpoints, other settings in a run, looks at the test set, pictures of the batch.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openEngine } from './support/engine.mjs';
import { browserTest } from './support/page.mjs';
import { smallTestSet } from './support/small-test-set.mjs';

const MINUTES = 60_000;
const TEST_IMAGES = 100;
const SMALL_TEST_SET = { replace: smallTestSet(TEST_IMAGES) };
const CPU = { choice: 'cpu', kernels: null };

const QUICK = {
  version: 1,
  dataset: 'mnist',
  model: 'logistic',
  optimizer: { name: 'adagrad', initial_accumulator: 0, epsilon: 1e-10, weight_decay: 0 },
  learning_rate: 0.02,
  schedule: { warm_up_samples: 0, decay: { name: 'constant' } },
  test: { name: 'norm', eta: 1, debiased: false },
  controller: { name: 'adadagrad', growth_cap: 2 },
  initial_batch: 8,
  min_batch: 1,
  max_batch: 4096,
  sample_budget: 20_000,
  seed: 5,
  evaluate_every: 5000,
};

test('a run that goes on from a checkpoint makes the same steps to the bit', browserTest({ timeout: 2 * MINUTES }), async (t) => {
  const engine = await openEngine(t, { server: SMALL_TEST_SET });
  for (const model of ['logistic', 'mlp', 'cnn']) {
    const config = { ...QUICK, model, sample_budget: model === 'cnn' ? 1500 : 8000 };
    const checked = await engine.evaluate(async ({ config, engine }) => {
      const { run, next } = self.engine;
      const first = await run({ type: 'begin', run: 1, config, engine, stop: { steps: 5 }, parameters: null });
      self.engine.send({ type: 'checkpoint', request: 1 });
      const { checkpoint } = await next('checkpoint');
      const rest = await run({ type: 'continue', stop: null });
      self.engine.send({ type: 'parameters', request: 2 });
      const whole = await next('parameters');
      const again = await run({ type: 'resume', run: 2, checkpoint: checkpoint.bytes, engine, stop: null });
      const resumed = self.engine.reports.find((report) => report.type === 'resumed');
      self.engine.send({ type: 'parameters', request: 3 });
      const repeated = await next('parameters');
      const same = whole.values.length === repeated.values.length && whole.values.every((value, place) => Object.is(value, repeated.values[place]));
      return { first, rest, again, checkpoint: { ...checkpoint, bytes: checkpoint.bytes.length }, resumed, same, length: whole.values.length };
    }, { config, engine: CPU });
    assert.equal(checked.first.steps.length, 5);
    assert.equal(checked.checkpoint.step, 5);
    assert.equal(checked.checkpoint.samples_seen, checked.first.steps.at(-1).samples_seen);
    assert.equal(checked.resumed.step, 5);
    assert.deepEqual(checked.resumed.config, config);
    assert.ok(checked.rest.steps.length > 3, `${model}: only ${checked.rest.steps.length} steps after the checkpoint`);
    assert.deepEqual(checked.again.steps, checked.rest.steps, model);
    assert.deepEqual(checked.again.evaluations, checked.rest.evaluations, model);
    assert.ok(checked.same, `${model}: other parameters`);
    assert.equal(checked.length, { logistic: 7850, mlp: 101_770, cnn: 28_938 }[model]);
  }
});
