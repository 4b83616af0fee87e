// Saved runs that are damaged in any way are refused with what is wrong, and the page goes on.
import assert from 'node:assert/strict';
import test from 'node:test';
import { drop } from './support/data-files.mjs';
import { leftIs } from './support/left-run.mjs';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { QUICK } from './support/settings.mjs';
import { chartsDrawn } from './support/steady.mjs';

const { readRunFile, readStoredRun, readCheckpoint, runsIn, storeRun, writeRunFile, writeRunsFile } = await loadModule('runs/run-file.ts');
const { STEP_COLUMNS } = await loadModule('runs/step-log.ts');
const { inBrief, quoted } = await loadModule('brief.ts');

const PARTS = { id: 'a', slot: 0 };
const MOMENT = { elapsed: 1.5 };

/** A run of two steps, as the page saves it. */
function saved() {
  const steps = Object.fromEntries(STEP_COLUMNS.map((name, place) => [name, [place + 1, place + 2]]));
  steps.step = [1, 2];
  steps.variance = [null, 7];
  steps.required = [null, null];
  return {
    format: 'adadagrad-run',
    version: 1,
    name: 'Mine',
    config: structuredClone(QUICK),
    computed_by: { engine: 'cpu', adapter: null },
    changes: [{ step: 1, samplesSeen: 8, ...MOMENT, config: structuredClone(QUICK), text: 'η 1 → 0.5' }],
    evaluations: [{ step: 2, samples_seen: 16, accuracy: 0.5, loss: 1.5, ...MOMENT }],
    steps,
    reasons: { variance: ['single_sample', null], required: ['single_sample', 'unbounded'], controller: [null, 'no_step_times'] },
  };
}

/** The file with another value at a place: `config.test.eta`. */
function withPlace(place, value) {
  const file = saved();
  const path = place.split('.');
  const last = path.pop();
  const target = path.reduce((part, key) => part[key], file);
  if (value === undefined) delete target[last];
  else target[last] = value;
  return file;
}

const BROKEN = [
  ...[null, undefined, 7, 'run', true, [], {}].map((content) => [content, /must be an object|is missing|The content/]),
  ...['format', 'version', 'name', 'config', 'computed_by', 'changes', 'evaluations', 'steps'].flatMap((place) =>
    [undefined, place === 'computed_by' ? 'cpu' : null, 7, {}].map((value) => [withPlace(place, value), new RegExp(place)]),
  ),
  // Of another version, only that is told.
  [withPlace('version', 2), /^version is 2, but this page reads version 1: reload the page to get its newest version\.$/],
  [{ format: 'adadagrad-run', version: 7 }, /^version is 7, but this page reads version 1: reload/],
  [withPlace('version', 0), /^version is 0, but this page reads version 1: an older page wrote it\.$/],
  [withPlace('config.version', 3), /^config\.version is 3, but this page reads version 1: reload/],
  [withPlace('version', '1'), /version/],
  [withPlace('name', { toString: 'x' }), /name must be a string/],
  [withPlace('computed_by', { engine: 'abacus', adapter: null }), /computed_by\.engine must be cpu or webgpu/],
  [withPlace('computed_by', { engine: 'cpu', adapter: 3 }), /computed_by\.adapter/],
  [withPlace('made_with', { version: '1', commit: 7, browser: '' }), /made_with\.commit/],
  // Settings.
  [withPlace('config.test', undefined), /config\.test is missing/],
  [withPlace('config.test', 'norm'), /config\.test/],
  [withPlace('config.test', {}), /config\.test/],
  [withPlace('config.test', { name: 'unknown', eta: 1 }), /config\.test/],
  [withPlace('config.test', { name: '__proto__' }), /config\.test/],
  [withPlace('config.test', { name: 'toString' }), /config\.test/],
  [withPlace('config.test.eta', 'NaN'), /config\.test\.eta must be a number/],
  [withPlace('config.test.eta', null), /config\.test\.eta must be a number/],
  [withPlace('config.test.debiased', 'yes'), /config\.test\.debiased must be true or false/],
  [withPlace('config.optimizer', 'adam'), /config\.optimizer/],
  [withPlace('config.optimizer', { name: 'constructor' }), /config\.optimizer/],
  [withPlace('config.optimizer', { name: 'adam', beta1: 0.9 }), /config\.optimizer\.beta2/],
  [withPlace('config.controller', null), /config\.controller/],
  [withPlace('config.controller.growth_cap', '2'), /config\.controller\.growth_cap/],
  [withPlace('config.schedule', []), /config\.schedule/],
  [withPlace('config.schedule.decay', { name: 'step' }), /config\.schedule\.decay\.every_samples/],
  [withPlace('config.model', 'elephant'), /config\.model must be the name of a network/],
  [withPlace('config.dataset', ['mnist']), /config\.dataset/],
  [withPlace('config.initial_batch', -8), /config\.initial_batch must be at least 1/],
  [withPlace('config.max_batch', 1.5), /config\.max_batch must be a whole number/],
  [withPlace('config.min_batch', 0), /config\.min_batch/],
  [withPlace('config.sample_budget', 1e300), /config\.sample_budget/],
  [withPlace('config.seed', -1), /config\.seed/],
  [withPlace('config.learning_rate', [0.1]), /config\.learning_rate/],
  // Changes and measurements.
  [withPlace('changes', [null]), /changes\.0 must be an object/],
  [withPlace('changes', ['η']), /changes\.0 must be an object/],
  [withPlace('changes', [{ ...saved().changes[0], config: null }]), /changes\.0\.config/],
  [withPlace('changes', [{ ...saved().changes[0], text: 5 }]), /changes\.0\.text/],
  [withPlace('changes', [{ ...saved().changes[0], step: 9 }, saved().changes[0]]), /changes must be in the order of their steps/],
  [withPlace('evaluations', [[]]), /evaluations\.0/],
  [withPlace('evaluations', [{}]), /evaluations\.0\.step is missing/],
  [withPlace('evaluations', [{ ...saved().evaluations[0], accuracy: '50 %' }]), /evaluations\.0\.accuracy/],
  [withPlace('evaluations', [{ ...saved().evaluations[0], accuracy: 97 }]), /evaluations\.0\.accuracy must be from 0 to 1/],
  [withPlace('evaluations', Array.from({ length: 100_000 }, () => null)), /evaluations\.0/],
  // Steps.
  [withPlace('steps.loss', undefined), /steps\.loss is missing/],
  [withPlace('steps.loss', 'long'), /steps\.loss must be a list of numbers/],
  [withPlace('steps.loss', { length: 2, 0: 1, 1: 2 }), /steps\.loss must be a list of numbers/],
  [withPlace('steps.loss', [1, 'NaN']), /steps\.loss must be a list of numbers/],
  [withPlace('steps.loss', [1, [2]]), /steps\.loss must be a list of numbers/],
  [withPlace('steps.loss', [1]), /steps must be columns of one length/],
  [withPlace('steps.step', [1, null]), /steps must have whole numbers/],
  [withPlace('steps.step', [2, 1]), /steps must be in the order of their steps/],
  [withPlace('steps.step', [2, 2]), /steps must be in the order of their steps/],
  [withPlace('steps.samples', [-8, 8]), /steps must have whole numbers/],
  [withPlace('steps.samples_seen', [16, 8]), /steps must be in the order/],
  [withPlace('steps.elapsed', [null, 1]), /steps must be in the order/],
  [withPlace('steps.next_batch', [8, 8.5]), /steps must have whole numbers/],
  [Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`unknown${index}`, index])), /format is missing/],
  [JSON.parse(`{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`), /format is missing/],
  [JSON.parse('{"__proto__":{"format":"adadagrad-run","version":1},"constructor":{"prototype":null}}'), /format is missing/],
];

test('a damaged run is refused, and what is told names the place and stays short', () => {
  for (const [content, wanted] of BROKEN) {
    const { run, mistakes } = readRunFile(content, PARTS);
    const what = `${JSON.stringify(content)?.slice(0, 200)}: ${mistakes.slice(0, 5)}`;
    assert.equal(run, null, what);
    assert.match(mistakes.join(' '), wanted, what);
    assert.ok(mistakes.length <= 100 && inBrief(mistakes).length < 1000, what);
  }
  assert.equal({}.format, undefined);
  assert.match(inBrief(readRunFile({}, PARTS).mistakes), /^format is missing\. version is missing\. name is missing\. \d more mistakes\.$/);
});

/** Of two steps. */
const NO_REASONS = { variance: [null, null], required: [null, null], controller: [null, null] };

test('a run that was saved is read as it was written, with texts of a readable length', () => {
  assert.deepEqual(writeRunFile(readRunFile(saved(), PARTS).run), saved());
  const withoutWindow = withPlace('config.controller', { name: 'adadagrad', growth_cap: 2 });
  assert.deepEqual(readRunFile(withoutWindow, PARTS).run.config, QUICK);
  const { reasons: _, ...earlier } = saved();
  assert.deepEqual(writeRunFile(readRunFile(earlier, PARTS).run).reasons, NO_REASONS);
  const withoutRule = saved();
  delete withoutRule.reasons.controller;
  assert.deepEqual(writeRunFile(readRunFile(withoutRule, PARTS).run).reasons, { ...saved().reasons, controller: [null, null] });
  for (const reasons of [null, 'none', { variance: ['not known here', null], required: 7 }]) {
    assert.deepEqual(writeRunFile(readRunFile({ ...saved(), reasons }, PARTS).run).reasons, NO_REASONS);
  }
  // JSON has no infinite numbers: a loss that overflowed is null there.
  const overflown = withPlace('steps.loss', [1, null]);
  overflown.evaluations[0].loss = null;
  assert.deepEqual(JSON.parse(JSON.stringify(writeRunFile(readRunFile(overflown, PARTS).run))), overflown);
  assert.equal(readRunFile({ ...saved(), name: 'x'.repeat(1e6) }, PARTS).run.name.length, 200);
  assert.equal(readRunFile({ ...saved(), unknown: 1, config: { ...QUICK, unknown: 2 } }, PARTS).run.config.unknown, undefined);
});

test('a run has a name that can stand in a sentence and on a button', () => {
  for (const [name, wanted] of [
    ['', 'Unnamed run'],
    [' \n\t ', 'Unnamed run'],
    ['two\r\nlines\u0000', 'two lines'],
    ['\u202Egnp.nur\u2066', 'gnp.nur'],
    ['我的实验 η = 0.5', '我的实验 η = 0.5'],
  ]) {
    assert.equal(readRunFile({ ...saved(), name }, PARTS).run.name, wanted);
  }
  assert.equal(quoted('\u202Egnp.photo\nmine'), '“gnp.photo mine”');
});

test('a file of several runs is read as a whole, or says what is wrong with it as a whole', () => {
  const several = { format: 'adadagrad-runs', version: 1, runs: [saved(), saved()] };
  assert.deepEqual(runsIn(several), { runs: several.runs, mistakes: [] });
  assert.deepEqual(writeRunsFile(several.runs.map((run) => readRunFile(run, PARTS).run)), several);
  assert.deepEqual(runsIn(saved()), { runs: [saved()], mistakes: [] });
  for (const [change, wanted] of [
    [{ version: 2 }, /^version is 2, but this page reads version 1: reload the page to get its newest version\.$/],
    [{ version: 0, runs: null }, /^version is 0, but this page reads version 1: an older page wrote it\.$/],
    [{ version: '1' }, /^version must be 1\.$/],
    [{ runs: [] }, /^runs must not be empty\.$/],
    [{ runs: { 0: saved() } }, /^runs must be a list\.$/],
  ]) {
    const { runs, mistakes } = runsIn({ ...several, ...change });
    assert.deepEqual(runs, []);
    assert.match(mistakes.join(' '), wanted);
  }
});

test('what was only reported is kept, in files and by the browser, through long runs and ways back', () => {
  const observed = {
    norm: { size: [3, null], smoothed: [4, 5], reason: [null, 'unbounded'] },
    cabs: { size: [null, 7.5], smoothed: [null, null], reason: ['non_positive_loss', null] },
  };
  const file = { ...saved(), observed };
  const { run } = readRunFile(file, PARTS);
  assert.deepEqual(writeRunFile(run), file);
  assert.deepEqual(run.log.record(1).observed, { norm: { size: null, smoothed: 5, reason: 'unbounded' }, cabs: { size: 7.5, smoothed: null } });
  const kept = readStoredRun(structuredClone(storeRun(run)), { slot: 1 }).run;
  assert.deepEqual(writeRunFile(kept), file);
  kept.cutAfter(1);
  assert.deepEqual(writeRunFile(kept).observed.norm, { size: [3], smoothed: [4], reason: [null] });
  // Every second row is left out in time.
  const record = run.log.record(0);
  for (let step = 2; step < 70_000; step += 1) kept.addStep({ ...record, step, samples_seen: 8 * step, observed: { norm: { size: step, smoothed: null } } });
  assert.ok(kept.log.length < 65_536);
  for (const row of [1, 100, kept.log.length - 1]) assert.equal(kept.log.observed('norm', row).size, kept.log.value('step', row));
  assert.equal(kept.log.observed('cabs', 5), null, 'nothing was said of it there');
  for (const [broken, wanted] of [
    [{ norm: null }, /observed\.norm must be an object/],
    [{ norm: { ...observed.norm, size: [1] } }, /observed must be columns of one length/],
    [{ norm: { ...observed.norm, smoothed: ['4', 5] } }, /observed\.norm\.smoothed must be a list of numbers/],
    [{ 'a,"b\n': observed.norm }, /must be the name of a test, a noise scale or a rule/],
    [Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`n${index}`, observed.norm])), /observed must have at most 8 names/],
  ]) {
    const { run: none, mistakes } = readRunFile({ ...file, observed: broken }, PARTS);
    assert.equal(none, null, JSON.stringify(broken));
    assert.match(mistakes.join(' '), wanted);
  }
});

test('what the browser keeps goes through a schema too', () => {
  const stored = () => structuredClone(storeRun(readRunFile(saved(), PARTS).run));
  const read = (content) => readStoredRun(content, { slot: 3 });
  assert.deepEqual(storeRun(read(stored()).run), stored());
  const { whyHeld, ...earlierLog } = stored().log;
  assert.equal(read({ ...stored(), log: earlierLog }).run.log.reason('controller', 1), null);
  assert.equal(read(stored()).run.log.reason('controller', 1), 'no_step_times');
  for (const [change, wanted] of [
    [() => null, /must be an object|content/],
    [() => ({}), /format is missing/],
    [(run) => ({ ...run, config: null }), /config/],
    [(run) => ({ ...run, id: '' }), /id must not be empty/],
    [(run) => ({ ...run, changes: [null] }), /changes/],
    [(run) => ({ ...run, log: null }), /log/],
    [(run) => ({ ...run, log: { ...run.log, stride: 0 } }), /stride/],
    [(run) => ({ ...run, log: { ...run.log, whyNoVariance: new Int8Array(1) } }), /one length/],
    [(run) => ({ ...run, log: { ...run.log, columns: { ...run.log.columns, loss: [1, 2] } } }), /loss/],
    [(run) => ({ ...run, log: { ...run.log, columns: { ...run.log.columns, step: new Float64Array(2).fill(NaN) } } }), /whole numbers/],
    [(run) => ({ ...run, version: 2 }), /version is 2, but this page reads version 1/],
    [(run) => ({ ...run, log: { ...run.log, observed: { norm: { size: new Float64Array(9), smoothed: new Float64Array(2), why: new Int8Array(2) } } } }), /observed.* must be columns of one length/],
  ]) {
    const { run, mistakes } = read(change(stored()));
    assert.equal(run, null);
    assert.match(mistakes.join(' '), wanted);
  }
  const checkpoint = { step: 3, samples_seen: 24, measures: true, bytes: new Uint8Array(4) };
  assert.deepEqual(readCheckpoint(checkpoint), checkpoint);
  // Earlier pages did not keep whether a measurement was due.
  const { measures, ...earlier } = checkpoint;
  assert.deepEqual(readCheckpoint(earlier), { ...earlier, measures: false });
  for (const broken of [undefined, null, {}, { ...checkpoint, bytes: 'no' }, { ...checkpoint, step: -1 }]) assert.equal(readCheckpoint(broken), null);
});

test('damaged runs, opened several at once or kept by the browser, leave the page as it was', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep } = await openPage(t, { path: '#preset=quick&model=logistic' });
  await waitFor({ data: 'ready' });
  const file = (name, content) => ({ name, mimeType: 'application/json', buffer: Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)) });
  const broken = BROKEN.flatMap(([content], index) => (content === undefined || JSON.stringify(content).length > 1e5 ? [] : [file(`broken${index}.json`, content)]));
  const named = { ...saved(), name: '<img src=x onerror=alert(1)>' };
  await drop(page, [...broken, file('cut.json', '{"format":'), file('deep.json', '{"a":'.repeat(200_000)), file('good.json', named), file('again.JSON', named)]);
  const note = page.locator('#files-note-text');
  await note.waitFor({ state: 'visible' });
  const told = await note.textContent();
  assert.match(told, /^“<img src=x onerror=alert\(1\)>” from “good\.json” is in the list of runs\. .*“again\.JSON” is in the list of runs\. “broken\d+\.json” is not a valid saved run/);
  assert.match(told, new RegExp(`${broken.length - 1} more problems\\.$`));
  assert.ok(told.length < 1600, `${told.length} characters`);
  assert.equal(await page.locator('#runs-body tr').count(), 2);
  assert.equal(await page.locator('main img[src="x"], #files-note img').count(), 0, 'names are text');
  await button('Close').click();
  assert.equal(await note.isVisible(), false);
  await button('Step').click();
  await waitForStep(1);
  await page.waitForFunction(() => /step 1|grew|1/.test(document.querySelector('#chart-batch [role=img]').ariaLabel));
  // The same in the browser's database, once the page keeps nothing in it any more.
  await leftIs(page, 1);
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  await leftIs(page, null);
  await page.evaluate(async (contents) => {
    const open = indexedDB.open('adadagrad');
    await new Promise((resolve) => (open.onsuccess = resolve));
    const [runs, left] = ['runs', 'left'];
    const transaction = open.result.transaction([runs, left], 'readwrite');
    contents.forEach((content, index) => transaction.objectStore(runs).put({ ...content, format: 'adadagrad-stored-run' }, `broken${index}`));
    transaction.objectStore(left).clear();
    transaction.objectStore(left).put({ run: { config: null }, checkpoint: {} }, 'run');
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    open.result.close();
  }, [{}, { config: null }, { changes: [null] }]);
  await page.reload();
  await waitFor({ data: 'ready' });
  await page.waitForFunction(() => /3 kept runs are not shown/.test(document.getElementById('runs-note').textContent));
  assert.equal(await page.locator('#left-run').isVisible(), false);
  await button('Start').click();
  await waitForStep(2);
});

test('files of many runs, and runs of many changes, leave room for the run at hand', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep } = await openPage(t, { path: '#preset=quick&model=logistic' });
  await waitFor({ data: 'ready' });
  await button('Step').click();
  await waitFor({ phase: 'paused', step: '1' });
  const names = () => page.locator('.run-name').evaluateAll((fields) => fields.map(({ value }) => value));
  const told = async (content, wanted) => {
    await drop(page, [{ name: 'runs.json', mimeType: '', buffer: Buffer.from(JSON.stringify(content)) }]);
    await page.waitForFunction((words) => document.getElementById('files-note-text').textContent === words, wanted);
  };
  const many = (count, name) => ({ format: 'adadagrad-runs', version: 1, runs: Array.from({ length: count }, (_, index) => ({ ...saved(), name: `${name}${index}` })) });
  await told(many(1000, 'a'), '“runs.json” holds 1,000 runs, but the list of runs has room for 23.');
  assert.deepEqual(await names(), ['Run 1']);
  await told(many(20, 'b'), '20 runs from “runs.json” are in the list of runs.');
  await told(many(5, 'c'), '5 runs from “runs.json” are in the list of runs. The 2 oldest runs have left the list to make room.');
  assert.deepEqual([(await names()).length, ...(await names()).slice(0, 2)], [24, 'Run 1', 'b2']);
  const changes = Array.from({ length: 306 }, () => saved().changes[0]);
  await told({ ...saved(), name: 'Turned', changes }, '“Turned” from “runs.json” is in the list of runs. The oldest run has left the list to make room.');
  assert.match(await page.locator('.run-settings').last().textContent(), /^[^;]*; 300 earlier changes(; after step 1: η 1 → 0\.5){6}$/);
  await button('Step').click();
  await waitForStep(2);
  assert.equal((await names())[0], 'Run 1');
});

test('numbers beyond all measure are no harm: what an axis has a place for is drawn, and the page goes on', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep } = await openPage(t, { path: '#preset=quick&model=logistic&thresholds=true' });
  await waitFor({ data: 'ready' });
  const largest = Number.MAX_VALUE;
  const smallest = Number.MIN_VALUE;
  const odd = {
    'a threshold of 0': withPlace('config.test.eta', 0),
    'a threshold whose square overflows': withPlace('config.test.eta', 1e200),
    'a threshold whose square is 0': withPlace('config.test.eta', 1e-200),
    'the largest loss': withPlace('steps.loss', [1, largest]),
    'the lowest loss': withPlace('steps.loss', [-largest, largest]),
    'the largest size': withPlace('steps.required', [1, largest]),
    'the smallest size': withPlace('steps.required', [smallest, 1]),
    'the largest variance': withPlace('steps.variance', [1, largest]),
    'the largest batch': withPlace('steps.samples', [8, Number.MAX_SAFE_INTEGER]),
    'a step of no time': withPlace('steps.seconds', [smallest, smallest]),
    'an endless step': withPlace('steps.elapsed', [1, largest]),
  };
  for (const [name, run] of Object.entries(odd)) {
    const buffer = Buffer.from(JSON.stringify({ ...run, name }));
    await drop(page, [{ name: 'odd.json', mimeType: 'application/json', buffer }]);
    await page.waitForFunction((wanted) => document.getElementById('files-note-text').textContent.includes(`“${wanted}” from`), name);
    for (const axis of ['steps', 'seconds', 'samples']) {
      await page.locator(`label[for=axis-${axis}]`).click();
      await chartsDrawn(page);
    }
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, `${name}: wider than the screen`);
    await button(`Delete ${name}`).click();
  }
  await button('Start').click();
  await waitForStep(3);
});
