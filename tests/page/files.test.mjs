// Files and presses that must not end a run: what is dropped is looked at first, data count from the next start, and a
// double click is one press.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { drop, firstOf, ownFiles } from './support/data-files.mjs';
import { hold } from './support/held.mjs';
import { loadModule } from './support/module.mjs';
import { browserTest, openPage } from './support/page.mjs';
import { saved } from './support/saved.mjs';

const { sniff } = await loadModule('export/sniff.ts');
const SMALL = '#preset=quick&model=logistic&sample_budget=40000&evaluate_every=20000';

const bytes = (...values) => Buffer.from(values);
const text = (content) => Buffer.from(content);
const IDX_LABELS = bytes(0, 0, 8, 1, 0, 0, 0, 1, 7);
const PNG = bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13);
const ZIP = bytes(0x50, 0x4b, 3, 4, 20, 0);

/** A safetensors file of one tensor. */
function model(header = { 'layers.0.weight': { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }) {
  const json = text(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(4)]);
}

const KINDS = [
  ['run.json', text('{"format":1}'), 'run'],
  ['run.JSON', text(' \n\t{"format":1}'), 'run'],
  ['without an ending', text('\ufeff{"format":1}'), 'run'],
  ['list.json', text('[1]'), 'run'],
  ['model.safetensors', model(), 'model'],
  ['MODEL.SAFETENSORS', model(), 'model'],
  ['model.bin', model(), 'model'],
  ['broken.SafeTensors', text('no model'), 'model'],
  ['train-labels-idx1-ubyte', IDX_LABELS, 'data'],
  ['labels', IDX_LABELS, 'data'],
  ['LABELS.GZ', gzipSync(IDX_LABELS), 'data'],
  ['train-images-idx3-ubyte', text('broken'), 'data'],
  ['train-images-idx3-ubyte.gz', gzipSync(IDX_LABELS).subarray(0, 8), 'data'],
  ['photo.png', PNG, 'a PNG image'],
  ['photo.json', PNG, 'a PNG image'],
  ['photo.jpg', bytes(0xff, 0xd8, 0xff, 0xe0, 0, 0), 'a JPEG image'],
  ['adadagrad-run-1.csv', text('step,loss\n1,2\n'), 'a table'],
  ['table.csv.gz', gzipSync('step,loss\n'), 'a gzip file'],
  ['data.zip', ZIP, 'a ZIP archive'],
  ['model.pt', ZIP, 'a PyTorch file'],
  ['model.pkl', bytes(0x80, 4, 0x95), 'a pickle file'],
  ['notes.txt', text('Hello'), 'text'],
  ['poem', text('\u00fcber\tallen\r\nGipfeln'), 'text'],
  ['poem.txt.gz', gzipSync('Hello'), 'text'],
  ['utf-16.txt', bytes(0xff, 0xfe, 0x41, 0), 'text'],
  ['program', bytes(0x7f, 0x45, 0x4c, 0x46), 'not of a known file type'],
  ['empty.json', Buffer.alloc(0), 'empty'],
];

test('a file is told by what is in it, and then by its name', async () => {
  for (const [name, content, wanted] of KINDS) {
    const found = await sniff(new File([content], name));
    if (['data', 'text', 'model', 'run'].includes(wanted)) assert.deepEqual(found, { kind: wanted }, name);
    else assert.ok(found.kind === 'other' && found.what.startsWith(wanted), `${name}: ${JSON.stringify(found)}`);
  }
  const folder = { name: 'folder', size: 4096, slice: () => ({ arrayBuffer: () => Promise.reject(new Error('NotFoundError')) }) };
  assert.match((await sniff(folder)).what, /it is a folder/);
});

const file = (name, buffer) => ({ name, mimeType: '', buffer });

test('a file that is refused changes nothing, and a model is checked before the run ends', browserTest(), async (t) => {
  const { page, read, button, waitFor, waitForStep, notice } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  const note = page.locator('#files-note-text');
  const told = async (files, wanted) => {
    await drop(page, files);
    await page.waitForFunction((source) => new RegExp(source, 's').test(document.getElementById('files-note-text').textContent), wanted.source);
  };
  for (let step = 1; step <= 2; step += 1) {
    await button('Step').click();
    await waitFor({ phase: 'paused', step: String(step) });
  }
  const before = await read();
  await told([file('photo.png', PNG)], /^This page opens the four IDX files.*“photo\.png” is a PNG image\.$/);
  await told(KINDS.filter(([, , wanted]) => wanted.includes(' ')).map(([name, content]) => file(name, content)), /7 more problems\.$/);
  await told([file('empty', Buffer.alloc(0))], /“empty” is empty\.$/);
  await told([file('run.JSON', text('{}'))], /“run\.JSON” is not a valid saved run: format is missing/);
  await told(ownFiles({ training: 20, test: 10 }).slice(0, 3), /Four files are needed.* t10k-labels-idx1-ubyte is missing\. The page still uses MNIST/);
  await told([...ownFiles({ training: 20, test: 10 }).slice(0, 3), file('t10k-labels-idx1-ubyte', firstOf('t10k-labels-idx1-ubyte', 9))], /10 images.*9 labels.*still uses MNIST/);
  await told([file('BROKEN.SAFETENSORS', text('no model'))], /“BROKEN\.SAFETENSORS” is not a model for these settings.*Nothing was changed/);
  const endless = { __metadata__: { adadagrad: '{"version":1e400}' } };
  await told([file('endless.safetensors', model(endless))], /“endless\.safetensors” is not a model for these settings: .* version is 1e400, but must be .*Nothing was changed/);
  await told([file('other.safetensors', model())], /is not a model for these settings: .*layers\.0\..*Nothing was changed/);
  await told([file('a.safetensors', model()), file('b.safetensors', model())], /one model at a time/);
  assert.doesNotMatch(await note.textContent(), /learning rate|operator/i);
  // Closing the note leaves the page where it is scrolled to, and gives the focus back.
  for (const [focused, gets] of [['run-open', 'run-open'], [null, 'run']]) {
    await page.evaluate((id) => (id === null ? document.activeElement.blur() : document.getElementById(id).focus({ preventScroll: true })), focused);
    await told([file('empty', Buffer.alloc(0))], /“empty” is empty\.$/);
    await page.evaluate(() => scrollTo(0, 400));
    await button('Close').click();
    await note.waitFor({ state: 'hidden' });
    assert.deepEqual(await page.evaluate(() => [scrollY, document.activeElement.id]), [400, gets]);
  }
  // Nor do a link or a text; only a field takes a text.
  const dropped = await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.setData('text/uri-list', 'https://example.org/');
    return [document.body, document.getElementById('main-button'), document.getElementById('setting-seed')].map((target) =>
      ['dragover', 'drop'].map((type) => !target.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }))),
    );
  });
  assert.deepEqual(dropped, [[true, true], [true, true], [false, false]]);
  const { samplesPerSecond: _, ...after } = await read();
  const { samplesPerSecond: __, ...unchanged } = before;
  assert.deepEqual(after, unchanged);
  assert.equal(await notice.isVisible(), false);
  await button('Step').click();
  await waitForStep(3);
  // A right model ends the run, which is kept, and that is told.
  const right = await saved(page, 'Save the model');
  await told([file('MINE.SAFETENSORS', right.bytes)], /A run starts from “MINE\.SAFETENSORS”\. “Run 1” was ended after step 3, and stays in the list of runs\./);
  await waitFor({ phase: 'paused', step: '0' });
  assert.deepEqual(await page.locator('.run-name').evaluateAll((fields) => fields.map(({ value }) => value)), ['Run 1', 'From MINE.SAFETENSORS']);
  // A model of another network is named.
  await page.locator('#setting-model').selectOption('mlp');
  await told([file('mine.safetensors', right.bytes)], /It fits the model “Softmax regression”: choose that under Model first/);
  await waitFor({ phase: 'paused', step: '0' });
});

test('of data that are dropped one after another the last ones count, however long the first take', browserTest(), async (t) => {
  const held = hold(/own-files-worker/);
  let asked = 0;
  const replace = (path, content) => (/own-files-worker/.test(path) && (asked += 1) === 1 ? held.replace(path, content) : undefined);
  const { page, waitFor } = await openPage(t, { path: SMALL, server: { replace, headers: { 'cache-control': 'no-store' } } });
  await waitFor({ data: 'ready' });
  await page.evaluate(() => {
    self.answers = [];
    const note = document.getElementById('files-note-text');
    new MutationObserver(() => self.answers.push(note.textContent)).observe(note, { childList: true });
  });
  await drop(page, ownFiles({ training: 900, test: 100 }));
  await held.asked(1);
  await drop(page, ownFiles({ training: 700, test: 90 }));
  held.release();
  await page.waitForFunction(() => self.answers.length === 2 && document.getElementById('sentence').textContent.startsWith('700 training images are ready'));
  assert.deepEqual(await page.evaluate(() => self.answers.map((answer) => /\d+ training images/.exec(answer)[0])), ['900 training images', '700 training images']);
});

test('a run that has not made a step says what to press', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  await button('Step').click();
  await waitFor({ phase: 'paused', step: '1' });
  const own = await saved(page, 'Save the model');
  await drop(page, [file('mine.safetensors', own.bytes)]);
  await waitFor({ phase: 'paused', step: '0' });
  await page.waitForFunction(() => document.getElementById('sentence').textContent === 'Paused before the first step. Press Resume or Step.');
});

test('a number too large for a float is shown as the file has it', async () => {
  const { asWritten } = await loadModule('export/safetensors.ts');
  const state = JSON.stringify({ adadagrad: '{"progress":{"steps":3,"next_batch":1e400},"config":{"learning_rate":-2.5E+999}}' });
  const told = (problem) => asWritten(problem, new Uint8Array(Buffer.concat([model({ __metadata__: state }), bytes(0x31, 0x65, 0x34, 0x30, 0x31)])));
  assert.equal(told('progress.next_batch is inf, but must be a whole number'), 'progress.next_batch is 1e400, but must be a whole number');
  assert.equal(told('config.learning_rate is -inf, but must be a number above 0'), 'config.learning_rate is -2.5E+999, but must be a number above 0');
  assert.equal(told('the header is infinite'), 'the header is infinite');
  assert.equal(asWritten('x is inf', new Uint8Array(3)), 'x is inf');
  assert.equal(asWritten('x is inf', new Uint8Array(model({}))), 'x is inf');
});

test('a model that is dropped before the images are loaded is answered, and changes nothing', browserTest(), async (t) => {
  const held = hold(/train-images-idx3-ubyte\.gz$/);
  const { page, waitFor, read } = await openPage(t, { path: SMALL, server: { replace: held.replace } });
  await held.asked(1);
  const told = async (wanted) => {
    await drop(page, [file('mine.safetensors', model())]);
    await page.waitForFunction((source) => new RegExp(source).test(document.getElementById('files-note-text').textContent), wanted.source);
  };
  await told(/^“mine\.safetensors” can be opened once the data is loaded\./);
  held.release();
  await waitFor({ data: 'ready' });
  assert.equal((await read()).phase, 'idle');
  await told(/^“mine\.safetensors” is not a model for these settings/);
});

test('a model that is dropped where there are no images is refused with that', browserTest(), async (t) => {
  const replace = (path) => (path.endsWith('manifest.json') ? null : undefined);
  const { page, waitFor } = await openPage(t, { path: SMALL, server: { replace }, expectedComplaints: /404/ });
  await waitFor({ data: 'unusable' });
  await drop(page, [file('mine.safetensors', model())]);
  await page.waitForFunction(() => /^“mine\.safetensors” cannot be opened, because there is no data/.test(document.getElementById('files-note-text').textContent));
});

test('the list of data asks for files when told to, not when it is passed over', browserTest(), async (t) => {
  const { page, button, waitFor } = await openPage(t, { path: SMALL });
  await waitFor({ data: 'ready' });
  // Then data are not opened at once.
  await button('Step').click();
  await waitFor({ phase: 'paused', step: '1' });
  let choosers = 0;
  page.on('filechooser', () => (choosers += 1));
  const [list, pending] = ['#data-choice', '#data-pending'].map((selector) => page.locator(selector));
  const passTo = async (key, wanted) => {
    for (let presses = 0; (await list.inputValue()) !== wanted; presses += 1) {
      assert.ok(presses < 3, `${key} never reaches ${wanted}`);
      await page.keyboard.press(key);
    }
  };
  await list.focus();
  await passTo('ArrowDown', 'own');
  assert.match(await pending.textContent(), /^Press “Choose your files”, or Enter here/);
  await passTo('ArrowUp', 'mnist');
  assert.equal(await pending.isVisible(), false);
  await passTo('ArrowDown', 'own');
  await page.keyboard.press('Tab');
  assert.notEqual(await list.inputValue(), 'own', 'the list names what there is');
  await list.focus();
  await passTo('ArrowDown', 'own');
  const asked = page.waitForEvent('filechooser');
  await page.keyboard.press('Enter');
  await (await asked).setFiles(ownFiles({ training: 900, test: 100 }));
  await page.waitForFunction(() => document.getElementById('data-pending').textContent === 'The current run keeps its data, MNIST. The next run will use your files.');
  assert.equal(choosers, 1);
  // Files that were chosen once are at hand.
  await passTo('ArrowUp', 'mnist');
  assert.equal(await pending.isVisible(), false);
  await passTo('ArrowDown', 'own');
  assert.match(await pending.textContent(), /The next run will use your files/);
  const askedAgain = page.waitForEvent('filechooser');
  await button('Choose your files').click();
  await askedAgain;
  assert.equal(choosers, 2);
});

test('other data count from the next start, and that is told', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep } = await openPage(t, { path: '#preset=quick&model=logistic&sample_budget=200&evaluate_every=200' });
  await waitFor({ data: 'ready' });
  await button('Step').click();
  await waitFor({ phase: 'paused', step: '1' });
  const pending = page.locator('#data-pending');
  await page.locator('#data-files').setInputFiles(ownFiles({ training: 900, test: 100 }));
  await page.waitForFunction(() => /900 training images and 100 test images: 28 × 28 pixels in grey, 10 classes\..* The next run will use them/.test(document.getElementById('files-note-text').textContent));
  assert.equal(await pending.textContent(), 'The current run keeps its data, MNIST. The next run will use your files.');
  await waitFor({ phase: 'paused', step: '1', data: 'ready' });
  await button('Resume').click();
  await waitFor({ phase: 'finished' });
  // The next start opens them and begins.
  await button('Start again').click();
  await waitForStep(1);
  await waitFor({ phase: 'finished' });
  assert.equal(await pending.isVisible(), false);
  assert.match(await page.locator('#run-settings, .run-settings').last().textContent(), /./);
  assert.equal(await page.locator('#setting-max-batch').inputValue(), '900');
  // The same by the keyboard and by the address; taken back, nothing is left of it.
  await page.locator('#data-choice').selectOption('mnist');
  assert.equal(await pending.textContent(), 'The current run keeps its data, your files. The next run will use MNIST.');
  await waitFor({ phase: 'finished' });
  await button('Reset').click();
  await page.waitForFunction(() => /6,000 training images/.test(document.getElementById('sentence').textContent));
  assert.equal(await pending.isVisible(), false);
});

test('a double click and a key that is held down are one press', browserTest(), async (t) => {
  const { page, button, waitFor, waitForStep } = await openPage(t, { path: '#preset=quick' });
  await waitFor({ data: 'ready' });
  await button('Start').dblclick();
  await waitForStep(1);
  await waitFor({ phase: 'running' });
  await page.locator('#main-button').dblclick();
  await waitFor({ phase: 'paused' });
  await button('Reset').click();
  await waitFor({ phase: 'idle' });
  await button('Start').focus();
  for (let repeat = 0; repeat < 6; repeat += 1) await page.keyboard.down('Enter');
  await page.keyboard.up('Enter');
  await waitForStep(1);
  await waitFor({ phase: 'running' });
  // Two presses are two presses.
  await page.keyboard.press('Enter');
  await waitFor({ phase: 'paused' });
  await page.keyboard.press('Enter');
  await waitFor({ phase: 'running' });
});
