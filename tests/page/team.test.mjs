// Several workers of the tab compute one run: the same numbers as one alone, to the bit, and faster.
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { openEngine } from './support/engine.mjs';
import { loadModule } from './support/module.mjs';
import { browserTest } from './support/page.mjs';
import { QUICK } from './support/settings.mjs';

const BASE = {
  ...QUICK,
  model: 'logistic',
  learning_rate: 0.01,
  test: { name: 'norm', eta: 0.2, debiased: false },
  initial_batch: 1000,
  min_batch: 1000,
  max_batch: 8000,
  sample_budget: 40_000,
  seed: 3,
};

/** Both sweeps, all sums, and a batch that changes. */
const RUNS = [
  { ...BASE, model: 'cnn', sample_budget: 6000, evaluate_every: 3000 },
  { ...BASE, model: 'mlp', test: { name: 'augmented', theta: 0.05, nu: 0.2, leave_one_out: true } },
  { ...BASE, model: 'mlp', test: { name: 'coordinate_norm', eta: 0.5, quantile: 0.5 } },
  { ...BASE, test: { name: 'worker_norm', eta: 0.2, workers: 7 } },
];

/** Parts that take a while. */
const CNN = { ...BASE, model: 'cnn', sample_budget: 3000, evaluate_every: 3000 };

const wish = { choice: 'cpu', kernels: null };
const begin = (run, config) => ({ type: 'begin', run, config, engine: wish, stop: null, parameters: null });
const enough = availableParallelism() >= 2 ? {} : { skip: 'one processor has no team' };

/** `script(bytes)`: what takes the place of the program of the team's workers; null: there is none. */
async function openWith(t, script) {
  const replace = (path, bytes) => (script !== undefined && /member-worker/.test(path) ? script(bytes) : undefined);
  return openEngine(t, { server: { replace }, expectedComplaints: script === undefined ? undefined : /member-worker|404|broken/ });
}

const engineAlone = (t) => openWith(t, () => null);

/** An engine whose team has its data already: a run may be over before a team is there for it. */
async function engineWithTeam(t, script) {
  const opened = await openWith(t, script);
  await opened.evaluate(async (command) => {
    const { engine } = self;
    engine.send(command);
    while (!engine.reports.some(({ type, engine: used }) => type === 'update' && used.workers > 0)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }, begin(0, { ...CNN, sample_budget: 1_000_000 }));
  return opened;
}

/** Workers that break down at the third part of a batch in their second run. */
const breaking = (bytes) => `{
    let runs = 0;
    let parts = 0;
    self.addEventListener('message', (event) => {
      const { type, task } = event.data;
      if (type === 'begin') runs += 1;
      if (runs === 2 && task === 'accumulate') parts += 1;
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

/** All notices of a run. */
async function noticesOf({ evaluate }, command) {
  return evaluate(async (sent) => {
    await self.engine.run(sent);
    return self.engine.reports.flatMap(({ notices = [] }) => notices).join(' ');
  }, command);
}

test('a team makes the run of one worker, to the bit', browserTest(enough), async (t) => {
  const [team, alone] = [await engineWithTeam(t), await engineAlone(t)];
  for (const [index, config] of RUNS.entries()) {
    const together = await team.run(begin(index + 1, config));
    const single = await alone.run(begin(index + 1, config));
    const name = `${config.model}, ${config.test.name}`;
    assert.equal(together.engine.workers, Math.min(4, availableParallelism()), name);
    assert.equal(single.engine.workers, 0, name);
    assert.ok(together.steps.length >= 4 && together.evaluations.length >= 2, name);
    assert.deepEqual(together, { ...single, engine: together.engine }, name);
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
  const { evaluate, run } = await engineWithTeam(t, telling);
  await evaluate(() => {
    self.asked = [];
    new BroadcastChannel('parts').onmessage = ({ data }) => self.asked.push(data);
  });
  const batch = 24;
  await run(begin(1, { ...BASE, model: 'cnn', initial_batch: batch, min_batch: batch, max_batch: batch, sample_budget: 40 * batch, evaluate_every: 40 * batch }));
  const asked = (await evaluate(() => self.asked)).filter((one) => one.batch === batch);
  const steps = [...new Set(asked.map(({ start }) => start))].map((start) => asked.filter((one) => one.start === start));
  // What the workers tell of the last steps may still be under way.
  const whole = steps.filter(({ length }) => length === 3);
  assert.ok(whole.length >= 10, `${whole.length} steps were shared`);
  for (const parts of whole) {
    const [first, second] = [0, 1].map((wanted) => parts.find(({ part }) => part === wanted));
    assert.notEqual(first.me, second.me, `step from sample ${first.start}`);
  }
});

test('a run without its team says why it computes alone', browserTest(enough), async (t) => {
  const notices = await noticesOf(await engineAlone(t), begin(1, CNN));
  assert.match(notices, /^The workers that shared the batches failed \(.*\), so one worker continues alone\.$/);
});

test('a team that breaks down inside a step leaves the run to one worker, with the same numbers', browserTest(enough), async (t) => {
  const [sound, broken] = [await engineWithTeam(t), await engineWithTeam(t, breaking)];
  const expected = await sound.run(begin(1, CNN));
  const found = await broken.run(begin(1, CNN));
  assert.ok(expected.engine.workers > 0);
  assert.equal(found.engine.workers, 0);
  assert.deepEqual(found, { ...expected, engine: found.engine });
  const notices = await broken.evaluate(() => self.engine.reports.flatMap(({ notices = [] }) => notices).join(' '));
  assert.match(notices, /broken on purpose/);
});

test('a pause inside a step changes nothing', browserTest(enough), async (t) => {
  const { evaluate, run } = await engineWithTeam(t);
  const config = { ...BASE, model: 'cnn', initial_batch: 4000, sample_budget: 12_000, evaluate_every: 6000 };
  const whole = await run(begin(1, config));
  const paused = await evaluate(async (command) => {
    const { engine } = self;
    const steps = [];
    let pauses = 0;
    engine.send(command);
    let place = 0;
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      const news = engine.reports.slice(place);
      place += news.length;
      for (const { type, phase, steps: more = [], done, total, activity } of news) {
        if (type === 'failure') throw new Error('it failed');
        if (type !== 'update') continue;
        steps.push(...more.map(({ seconds, ...step }) => step));
        if (phase === 'finished') return { steps, pauses };
        if (phase === 'paused') engine.worker.postMessage({ type: 'continue', stop: null });
        else if (phase === 'running' && activity === 'training' && done > 0 && done < total && pauses < 6) {
          engine.worker.postMessage({ type: 'pause' });
          pauses += 1;
        }
      }
    }
  }, begin(2, config));
  assert.ok(paused.pauses >= 3, `${paused.pauses} pauses`);
  assert.deepEqual(paused.steps, whole.steps);
});

test('another run may begin while the team is at a step', browserTest(enough), async (t) => {
  const { evaluate, run } = await engineWithTeam(t);
  const expected = await run(begin(1, RUNS[1]));
  await evaluate(async (command) => {
    const { engine } = self;
    engine.send(command);
    for (;;) {
      const { phase, done, total } = await engine.next('update');
      if (phase === 'running' && done > 0 && done < total) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
      engine.reports.length = 0;
    }
  }, begin(2, { ...RUNS[0], initial_batch: 8000 }));
  const found = await run(begin(3, RUNS[1]));
  assert.deepEqual(found, expected);
});
