// Every rule of batch-size control in the page's words: why it changed the size of the batch, why it kept it, and what is
// known against it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadModule } from './support/module.mjs';
import { DEFAULTS, QUICK } from './support/settings.mjs';

const { againstRule, usesTest, whyNextBatch } = await loadModule('rule-words.ts');
const { describeRun } = await loadModule('words.ts');
const { describeChange, describeShown, newestChange } = await loadModule('figure/words.ts');
const { chooseController, chooseTest } = await loadModule('settings/choices.ts');
const { CONTROLLER_ROWS } = await loadModule('settings/table.ts');

const NAMES = CONTROLLER_ROWS.map(({ name }) => name);

const step = (others) => ({ step: 7, samples: 64, samples_seen: 448, required: null, next_batch: 64, reasons: {}, ...others });

/** The settings with a rule, with the preset's test or without one. */
function withRule(name, withTest) {
  const config = chooseController(QUICK, name);
  return withTest ? config : { ...config, test: null };
}

function said(config, record) {
  const run = { phase: 'running', config, latestStep: record, latestEvaluation: null };
  return [describeRun(run, { name: 'ready', trainingSamples: 60_000 }, false), describeShown({ config, step: record, recorded: false })];
}

test('there are fifteen rules, and each has words of its own', () => {
  assert.equal(NAMES.length, 15);
  const clauses = NAMES.map((name) => whyNextBatch(withRule(name, true), step({ required: 32 })));
  assert.equal(new Set(clauses).size, NAMES.length);
  for (const clause of clauses) assert.match(clause, /^(\d|AdaBatch|Accordion|DiveBatch|[a-z])[^;.]*(\d\.\d[^;.]*)*$/, clause);
});

for (const name of NAMES) {
  test(`${name}: one plain sentence says why the batch changed or stayed`, () => {
    for (const withTest of usesTest({ name }) ? [true] : [true, false]) {
      const config = withRule(name, withTest);
      for (const next_batch of [128, 32, 64]) {
        const record = step({ next_batch, required: withTest ? 300 : null });
        const why = whyNextBatch(config, record);
        const ending = next_batch === 64 ? /stays 64/ : new RegExp(`next batch ${next_batch}`);
        for (const sentence of said(config, record)) {
          assert.match(sentence, /^Step 7[:;]/);
          assert.match(sentence, ending);
          assert.doesNotMatch(sentence, /undefined|null|NaN|\[object|there is no test, so/);
          if (!usesTest(config.controller)) assert.ok(sentence.includes(why), `${sentence} says nothing of: ${why}`);
        }
        if (next_batch === 64) continue;
        const change = describeChange({ config, step: record, planned: 64 });
        const what = next_batch > 64 ? 'growth' : 'reduction';
        assert.equal(change, `Last ${what}: after step 7, from 64 to ${next_batch}, because ${why}.`);
      }
    }
  });

  test(`${name}: a size that is kept for want of evidence has its reason`, () => {
    const config = withRule(name, true);
    for (const [reason, words] of [
      ['non_positive_debiased_norm', /noise dominates the mean gradient/],
      ['non_positive_loss', /the loss is not positive/],
      ['no_step_times', /too few steps were timed/],
      ['missing_evidence', /statistics that the (rule|test) needs were not computed/],
      ['single_sample', /one sample has no variance/],
    ]) {
      const where = usesTest(config.controller) ? 'required' : 'controller';
      for (const sentence of said(config, step({ reasons: { [where]: reason } }))) assert.match(sentence, words);
    }
  });
}

test('where a rule that never reduces the batch has a smaller one, the settings are named', () => {
  for (const name of ['adadagrad', 'dive_batch', 'geometric', 'constant', 'big_batch', 'smith', 'seesaw', 'ada_batch_grad']) {
    assert.equal(whyNextBatch(withRule(name, true), step({ next_batch: 32, required: 300 })), 'the largest batch in the settings was reduced', name);
  }
  const kept = whyNextBatch(withRule('cost_aware', false), step({}));
  assert.match(kept, /^no other size promised at least [\d.]+% more progress per second, or the size had changed within the last \d+ steps$/);
});

test('what limits AdAdaGrad’s growth is said', () => {
  const grown = step({ required: 300, next_batch: 128 });
  const why = (others) => whyNextBatch({ ...QUICK, controller: { ...QUICK.controller, ...others } }, grown);
  assert.equal(why({}), 'the test needed 300 samples, and the growth cap allows 2 times the batch');
  assert.equal(why({ growth_cap: null, window: 5 }), 'the test needed 300 samples, and the smallest of the last 5 required sizes counts');
  assert.equal(whyNextBatch(QUICK, step({ required: 120, next_batch: 120 })), 'the test needed 120 samples');
  assert.equal(whyNextBatch(QUICK, step({ next_batch: 128, reasons: { required: 'unbounded' } })), 'no batch size is large enough for the test');
});

test('the size that a rule wanted is said where it is another than it got', () => {
  const config = withRule('gradient_noise_scale', false);
  assert.match(whyNextBatch(config, step({ next_batch: 4096, wanted: 52_000.4 })), /is above the batch size \(it wanted 52,001 samples\)$/);
  assert.doesNotMatch(whyNextBatch(config, step({ next_batch: 128, wanted: 127.6 })), /wanted/);
  assert.doesNotMatch(whyNextBatch(config, step({ wanted: null })), /wanted/);
  assert.doesNotMatch(whyNextBatch(QUICK, step({ required: 300, wanted: 300, next_batch: 128 })), /wanted/, 'the test says it');
});

test('a batch that Big Batch SGD extends before its step is a growth too', () => {
  const config = withRule('big_batch', true);
  const before = step({ step: 6, samples: 64, next_batch: 64 });
  const extended = step({ samples: 70, next_batch: 70 });
  const change = newestChange([extended], before, () => config);
  assert.equal(describeChange(change), 'Last growth: step 7 was extended from 64 to 70 samples, because the mean gradient of a smaller batch was not larger than the noise.');
  assert.equal(newestChange([extended], step({ step: 3 }), () => config), null, 'what was planned for a step is known from the step before alone');
  assert.equal(newestChange([step({ next_batch: 32 }), step({ step: 8, samples: 32, next_batch: 32 })], null, () => config).step.step, 7);
});

test('what is known against a rule is a sentence, where it is chosen', () => {
  assert.match(againstRule('gradient_noise_scale'), /underestimate the critical batch by orders of magnitude under Adam \(arXiv 2505\.23971\)\.$/);
  assert.match(againstRule('cost_aware'), /arXiv 2505\.23971/);
  assert.match(againstRule('dive_batch'), /loses 0\.4 to 1\.7 points to constant b = 128\.$/);
  assert.equal(againstRule('constant'), '');
  for (const name of NAMES.filter((name) => name !== 'constant')) assert.match(againstRule(name), /^[A-Z].*\.$/, name);
});

test('each rule and each of its settings has a sentence', () => {
  for (const { name, doc, fields } of CONTROLLER_ROWS) for (const words of [doc, ...fields.map((field) => field.doc)]) assert.match(words, /^[A-Z].*\.$/, `${name}: ${words}`);
});

test('no test is no rule: a rule without need of a test keeps its place', () => {
  const cabs = chooseController(QUICK, 'cabs');
  assert.deepEqual(chooseTest(cabs, null, DEFAULTS), { ...cabs, test: null });
  assert.deepEqual(chooseTest(QUICK, null, DEFAULTS).controller, { name: 'constant' });
});
