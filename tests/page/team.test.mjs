// Several workers of the tab compute one run: the same numbers as one alone, to the bit, and faster.
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { openEngine } from './support/engine.mjs';
import { hold } from './support/held.mjs';
import { loadModule } from './support/module.mjs';
import { browserTest } from './support/page.mjs';
import { QUICK } from './support/settings.mjs';
import { beforeWorker, commandAfter, tickingClock } from './support/steady.mjs';

const BASE = {
  ...QUICK,
  model: 'logistic',
  learning_rate: 0.01,
  test: { name: 'norm', eta: 0.2, debiased: false },
  initial_batch: 1000,
  min_batch: 1000,
  max_batch: 8000,
  sample_budget: 16_000,
  seed: 3,
};

/** No batch is larger than the data. */
const IMAGES = { training: BASE.max_batch, test: 500 };

/** Both sweeps, all sums, and a batch that changes. */
const RUNS = [
  { ...BASE, model: 'cnn', sample_budget: 6000, evaluate_every: 3000 },
  { ...BASE, model: 'mlp', test: { name: 'augmented', theta: 0.05, nu: 0.2, leave_one_out: true } },
  { ...BASE, model: 'mlp', test: { name: 'coordinate_norm', eta: 0.5, quantile: 0.5 } },
  { ...BASE, test: { name: 'worker_norm', eta: 0.2, workers: 7 } },
];

/** Rules that ask a batch for more than a test does: halves, coordinates, an epoch's sum, more samples. */
const RULES = [
  { ...BASE, test: null, controller: { name: 'simi_grad', target: 0.9 } },
  { ...BASE, test: null, optimizer: { name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-3, weight_decay: 0 }, controller: { name: 'gradient_noise_scale', sensor: 'preconditioned', scale: 30, ema: 0.5 } },
  { ...BASE, test: null, controller: { name: 'dive_batch', delta: 30, every_epochs: 1, scale_learning_rate: false } },
  { ...BASE, test: null, sample_budget: 24_000, controller: { name: 'accordion', small: 1000, large: 2000, threshold: 0.9 } },
  { ...BASE, test: null, model: 'cnn', optimizer: { name: 'sgd', weight_decay: 0 }, learning_rate: 0.5, controller: { name: 'big_batch', growth: 0.5 }, initial_batch: 64, min_batch: 64, sample_budget: 3000, evaluate_every: 1000 },
];

/** Parts that take a while. */
const CNN = { ...BASE, model: 'cnn', sample_budget: 3000, evaluate_every: 3000 };

const wish = { choice: 'cpu', kernels: null };
const begin = (run, config, stop = null) => ({ type: 'begin', run, config, engine: wish, stop, parameters: null });
const enough = availableParallelism() >= 2 ? {} : { skip: 'one processor has no team' };
const TEAM = Math.min(4, availableParallelism());

/**
 * `script(bytes)`: what takes the place of the program of the team's workers; null: there is none. `prelude`: what the
 * training worker runs first. Its clock makes every piece of work take long enough to be shared.
 */
async function openWith(t, { script, prelude = '' } = {}) {
  const members = (path, bytes) => (script !== undefined && /member-worker/.test(path) ? script(bytes) : undefined);
  const replace = beforeWorker(tickingClock(10) + prelude, members);
  return openEngine(t, { images: IMAGES, server: { replace }, expectedComplaints: script === undefined ? undefined : /member-worker|404|broken/ });
}

const engineAlone = (t) => openWith(t, { script: () => null });

/** A run whose team is there from its second step on; gives what `run` gives. */
function runWithTeam({ evaluate }, run, config) {
  return evaluate(async ({ command, rest }) => {
    const { engine } = self;
    const first = await engine.run(command);
    await engine.next('team', { run: command.run });
    const others = await engine.run(rest);
    return { ...others, steps: [...first.steps, ...others.steps], evaluations: [...first.evaluations, ...others.evaluations] };
  }, { command: begin(run, config, { steps: 1 }), rest: { type: 'continue', stop: null } });
}

/** Workers that break down at the third part of a batch. */
const breaking = (bytes) => `{
    let parts = 0;
    self.addEventListener('message', (event) => {
      if (event.data.task === 'accumulate') parts += 1;
      if (parts !== 3) return;
      event.stopImmediatePropagation();
      throw new Error('broken on purpose');
    });
  }
  ${bytes.toString()}`;

/** Workers that tell which parts they are asked for. */
const telling = (bytes) => `{
    const me = crypto.randomUUID();
    const parts = new BroadcastChannel('parts');
    self.addEventListener('message', ({ data: { type, task, start, batch, part } }) => {
      if (type === 'sweep' && task === 'accumulate') parts.postMessage({ me, start, batch, part });
    });
  }
  ${bytes.toString()}`;

test('a team makes the run of one worker, to the bit', browserTest(enough), async (t) => {
  const [team, alone] = [await openWith(t), await engineAlone(t)];
  for (const [index, config] of RUNS.entries()) {
    const together = await runWithTeam(team, index + 1, config);
    const single = await alone.run(begin(index + 1, config));
    const name = `${config.model}, ${config.test.name}`;
    assert.equal(together.engine.workers, TEAM, name);
    assert.equal(single.engine.workers, 0, name);
    assert.ok(together.steps.length >= 4 && together.evaluations.length >= 2, `${name}: ${together.steps.length} steps, ${together.evaluations.length} measurements`);
    assert.deepEqual(together, { ...single, engine: together.engine }, name);
  }
});

test('every kind of rule has the same bits with a team', browserTest(enough), async (t) => {
  const [team, alone] = [await openWith(t), await engineAlone(t)];
  for (const [index, config] of RULES.entries()) {
    const together = await runWithTeam(team, index + 1, config);
    const single = await alone.run(begin(index + 1, config));
    const { name } = config.controller;
    assert.deepEqual([together.engine.workers, single.engine.workers], [TEAM, 0], name);
    assert.deepEqual(together, { ...single, engine: together.engine }, name);
    assert.ok(together.steps.some(({ samples }) => samples !== together.steps[0].samples), `${name}: the batch never changed`);
    const extended = together.steps.filter(({ samples }, step) => step > 0 && samples > together.steps[step - 1].next_batch);
    assert.equal(extended.length > 0, name === 'big_batch', `${name}: ${extended.length} batches were extended`);
  }
});

test('a batch is shared out where it takes long enough, and what nobody knows is found out', async () => {
  const { Worth } = await loadModule('team/worth.ts');
  const worth = new Worth();
  assert.equal(worth.of(60_000, 1), false, 'one part cannot be shared');
  assert.equal(worth.of(256, 2), false, 'unknown and small');
  assert.equal(worth.of(256, 4), true, 'unknown and in many parts');
  worth.countShared(800);
  assert.equal(worth.of(60_000, 32), true, 'to try it alone would take long');
  worth.countShared(3);
  assert.equal(worth.of(256, 4), false, 'a few steps alone are soon made');
  const alone = { samples: 256, seconds: 0.002 };
  worth.countAlone([{ samples: 256, seconds: 0.05 }, alone, alone, alone, alone]);
  // 128,000 images a second.
  assert.deepEqual([128, 380, 390].map((batch) => worth.of(batch, 4)), [false, false, true]);
});

test('no worker has two parts before each has one', browserTest(enough), async (t) => {
  const opened = await openWith(t, { script: telling });
  const { evaluate } = opened;
  await evaluate(() => {
    self.asked = [];
    new BroadcastChannel('parts').onmessage = ({ data }) => self.asked.push(data);
  });
  // Four parts of the CNN.
  const [batch, parts, steps] = [32, 4, 20];
  const config = { ...BASE, model: 'cnn', initial_batch: batch, min_batch: batch, max_batch: batch, sample_budget: steps * batch, evaluate_every: steps * batch };
  await runWithTeam(opened, 1, config);
  // All steps but the first are shared; what the workers tell of the last ones may still be under way.
  const wanted = (steps - 1) * parts;
  await opened.page.waitForFunction((count) => self.asked.length >= count, wanted);
  const asked = await evaluate(() => self.asked);
  assert.equal(asked.length, wanted);
  for (const start of new Set(asked.map((one) => one.start))) {
    const ofStep = asked.filter((one) => one.start === start);
    const [first, second] = [0, 1].map((place) => ofStep.find(({ part }) => part === place));
    assert.notEqual(first.me, second.me, `step from sample ${start}`);
  }
});

test('a run without its team says why it computes alone', browserTest(enough), async (t) => {
  const { ask } = await engineAlone(t);
  const { workers, notice } = await ask(begin(1, CNN), 'team', { run: 1 });
  assert.equal(workers, 0);
  assert.match(notice, /^The workers that shared the batches failed \(.*\), so one worker continues alone\.$/);
});

test('a team that breaks down inside a step leaves the run to one worker, with the same numbers', browserTest(enough), async (t) => {
  const [sound, broken] = [await openWith(t), await openWith(t, { script: breaking })];
  const expected = await runWithTeam(sound, 1, CNN);
  const found = await runWithTeam(broken, 1, CNN);
  assert.equal(expected.engine.workers, TEAM);
  assert.equal(found.engine.workers, 0);
  assert.deepEqual(found, { ...expected, engine: found.engine });
  const notices = await broken.evaluate(() => self.engine.all.flatMap(({ type, notice }) => (type === 'team' && notice !== null ? [notice] : [])));
  assert.equal(notices.length, 1);
  assert.match(notices[0], /broken on purpose/);
});

test('a pause inside a step changes nothing', browserTest(enough), async (t) => {
  const pauses = 6;
  // Each time at another place.
  const inside = ({ type, run, phase, activity, done, total }) => {
    const fits = type === 'update' && run === 2 && phase === 'running' && activity === 'training' && done > 0 && done < total && done !== self.pausedAt;
    if (fits) self.pausedAt = done;
    return fits;
  };
  const opened = await openWith(t, { prelude: commandAfter(inside, { type: 'pause' }, pauses) });
  const config = { ...BASE, model: 'cnn', initial_batch: 1000, sample_budget: 6000, evaluate_every: 3000 };
  const whole = await runWithTeam(opened, 1, config);
  const paused = await opened.evaluate(async (command) => {
    const { engine } = self;
    const made = [];
    let [run, pauses] = [await engine.run(command), 0];
    for (;;) {
      made.push(...run.steps);
      if (run.phase === 'finished') return { steps: made, pauses };
      pauses += 1;
      run = await engine.run({ type: 'continue', stop: null });
    }
  }, begin(2, config));
  assert.equal(paused.pauses, pauses);
  assert.deepEqual(paused.steps.map(({ step }) => step), whole.steps.map(({ step }) => step));
  assert.deepEqual(paused.steps, whole.steps);
});

test('another run may begin while the team is at a step', browserTest(enough), async (t) => {
  const config = RUNS[1];
  const atStep = ({ type, run, done, total, engine }) => type === 'update' && run === 2 && engine.workers > 0 && done > 0 && done < total;
  const opened = await openWith(t, { prelude: commandAfter(atStep, begin(3, config, { steps: 1 })) });
  const expected = await runWithTeam(opened, 1, config);
  const found = await opened.evaluate(async ({ command, rest }) => {
    const { engine } = self;
    engine.send(command);
    // The worker begins run 3 by itself, inside a step of run 2.
    const first = await engine.follow(3);
    await engine.next('team', { run: 3 });
    const others = await engine.run(rest);
    return { ...others, steps: [...first.steps, ...others.steps] };
  }, { command: begin(2, { ...config, initial_batch: 8000, sample_budget: 1_000_000_000 }), rest: { type: 'continue', stop: null } });
  assert.deepEqual(found, expected);
});

test('the first step does not wait for the team', browserTest(enough), async (t) => {
  const held = hold(/member-worker/);
  const { run } = await openEngine(t, { images: IMAGES, server: { replace: held.replace } });
  const { engine, steps } = await run(begin(1, CNN, { steps: 1 }));
  assert.deepEqual([engine.workers, steps.length], [0, 1]);
  held.release();
});
