// What the page says of a step: the status line counts samples, the figure measures noise as a length, and the test's
// chart draws its square. No two of their numbers contradict each other.
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadModule } from './support/module.mjs';

const { describeRun } = await loadModule('words.ts');
const { describeShown } = await loadModule('figure/words.ts');
const { sidesLabels, testSides } = await loadModule('test-sides.ts');
const { formatFactor } = await loadModule('format.ts');

const norm = { name: 'norm', eta: 0.1, debiased: false };

/** A step whose test asks for `required` samples. */
function stepOf({ samples, required, next_batch, reasons = {} }) {
  const mean_norm_sq = 4;
  const variance = required === null ? null : required * norm.eta ** 2 * mean_norm_sq;
  return { step: 12, samples, samples_seen: 5000, mean_norm_sq, variance, required, next_batch, reasons };
}

function said(step, config = {}) {
  const run = { phase: 'running', latestStep: step, latestEvaluation: null, config: { test: norm, controller: { name: 'adadagrad', growth_cap: null, window: 1, window_kind: 'sliding' }, max_batch: 60_000, ...config } };
  return {
    status: describeRun(run, { name: 'ready', trainingSamples: 60_000 }, false),
    figure: describeShown({ config: run.config, step, recorded: false }),
  };
}

test('the status line speaks of samples', () => {
  const { status } = said(stepOf({ samples: 1187, required: 12119.4, next_batch: 12120 }));
  assert.equal(status, 'Step 12: batch 1,187; 12,120 samples needed, 10.2 times as many; next batch 12,120.');
  const enough = said(stepOf({ samples: 1187, required: 593.5, next_batch: 1187 })).status;
  assert.equal(enough, 'Step 12: batch 1,187 was large enough (594 samples were needed); the next stays 1,187.');
  const drowned = said(stepOf({ samples: 8, required: null, next_batch: 16, reasons: { required: 'unbounded' } })).status;
  assert.match(drowned, /^Step 12: batch 8; noise dominates the mean gradient/);
});

test('only the figure gives a number for noise, and its square is the status line’s factor', () => {
  for (const factor of [1.002, 1.04, 1.5, 2, 3.7, 10, 31, 99.94, 137, 320, 9000]) {
    const samples = 64;
    const required = factor * samples;
    const { status, figure } = said(stepOf({ samples, required, next_batch: Math.ceil(required) }));
    assert.doesNotMatch(status, /noise/);
    const needed = /([\d,]+) samples needed/;
    assert.equal(needed.exec(status)[1], needed.exec(figure)[1]);
    const many = /([\d.,]+) times as many/;
    assert.equal(many.exec(status)[1], many.exec(figure)[1]);
    const reach = Number(/the noise is ([\d.,]+) times the allowed/.exec(figure)[1].replaceAll(',', ''));
    // As exact as the digits that are shown.
    assert.ok(Math.abs(reach ** 2 / factor - 1) < 0.03, `${figure} squares ${reach} to ${reach ** 2}`);
  }
});

test('the test’s chart draws squares, and says so', () => {
  for (const name of ['norm', 'worker_norm', 'coordinate_norm']) {
    const labels = sidesLabels({ ...norm, name });
    assert.match(labels.measured, /^noise²/);
    assert.match(labels.caption, /square of the noise/);
  }
  const step = stepOf({ samples: 100, required: 1600, next_batch: 1600 });
  const { measured, allowed } = testSides(norm, step);
  const reach = /the noise is ([\d.]+) times/.exec(said(step).figure)[1];
  assert.equal(formatFactor(Math.sqrt(measured / allowed)), reach);
});
