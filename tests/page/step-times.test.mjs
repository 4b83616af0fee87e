// The rule that weighs time hears how long steps take, on every engine: where every step waits long for its numbers to be read
// back, it chooses larger batches. The clock is the test's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine } from './support/engine.mjs';
import { browserTest } from './support/page.mjs';
import { QUICK } from './support/settings.mjs';
import { HELD_CLOCK, beforeWorker, tickingClock } from './support/steady.mjs';

const CONFIG = {
  ...QUICK,
  model: 'logistic',
  learning_rate: 0.01,
  test: null,
  controller: { name: 'cost_aware', sensor: 'plain', ema: 0.9, gain: 0.05, warm_up: 4, dwell: 1, fixed_time: null, time_per_sample: null },
  initial_batch: 64,
  min_batch: 2,
  max_batch: 1024,
  sample_budget: 10_000,
  evaluate_every: 10_000,
  seed: 3,
};

/** No batch is larger than the data. */
const IMAGES = { training: 2000, test: 100 };

const begin = (engine) => ({ type: 'begin', run: 1, config: CONFIG, engine: { choice: engine, kernels: null }, stop: null, parameters: null });

/** Milliseconds of a workgroup. */
const WORKGROUP = 0.01;

/** A clock that goes on with the work that a GPU is given, and by so many milliseconds with each time that values are read back. */
const gpuClock = (readBack) => `${HELD_CLOCK}
  {
    const dispatch = GPUComputePassEncoder.prototype.dispatchWorkgroups;
    GPUComputePassEncoder.prototype.dispatchWorkgroups = function (x, y = 1, z = 1) {
      self.heldClock += ${WORKGROUP} * x * y * z;
      return dispatch.call(this, x, y, z);
    };
    const map = GPUBuffer.prototype.mapAsync;
    GPUBuffer.prototype.mapAsync = function (...options) {
      self.heldClock += ${readBack};
      return map.apply(this, options);
    };
  }`;

/** Whether the rule says that it lacks measurements. */
const lacksTimes = ({ reasons }) => reasons.controller === 'no_step_times';

test('in a browser whose read-back is slow, larger batches are chosen', browserTest(), async (t) => {
  const sizes = async (readBack) => {
    const { run } = await openEngine(t, { webgpu: true, images: IMAGES, server: { replace: beforeWorker(gpuClock(readBack)) } });
    const { engine, steps } = await run(begin('webgpu'));
    assert.equal(engine.engine, 'webgpu');
    assert.ok(!lacksTimes(steps.at(-1)));
    return steps.map(({ samples }) => samples);
  };
  const [fast, slow] = [await sizes(0), await sizes(200)];
  assert.deepEqual(fast.slice(0, 5), slow.slice(0, 5), 'nothing is measured yet');
  const text = `${fast} where nothing waits for a read-back, ${slow} where every step does`;
  assert.ok(Math.max(...slow) >= 4 * Math.max(...fast), text);
  assert.ok(fast.length >= 3 * slow.length, text);
});

test('the CPU tells its step times too', browserTest(), async (t) => {
  const { run } = await openEngine(t, { images: IMAGES, server: { replace: beforeWorker(tickingClock(10)) } });
  const { engine, steps } = await run(begin('cpu'));
  assert.equal(engine.engine, 'cpu');
  assert.ok(steps.length > 10 && !lacksTimes(steps.at(-1)));
  assert.ok(steps.some(({ samples }) => samples !== CONFIG.initial_batch), 'the batch never changed');
});
