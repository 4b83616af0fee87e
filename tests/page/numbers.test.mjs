// Numbers as people write them: what has one meaning is read, everything else is refused with an example.
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadModule } from './support/module.mjs';
import { ALL_IMAGES, browserTest, openPage } from './support/page.mjs';

const { readList, readNumber } = await loadModule('numbers.ts');
const { inBrief, shortened } = await loadModule('brief.ts');

const NBSP = '\u00a0';
const THIN = '\u2009';
const NARROW = '\u202f';

/** Each text with what a whole-number field and another field make of it: a number, or a part of the advice. */
const TEXTS = [
  ['64', 64, 64],
  ['  64\t', 64, 64],
  ['+3', 3, 3],
  ['007', 7, 7],
  ['1e3', 1000, 1000],
  ['1E+3', 1000, 1000],
  ['2e-3', 'whole number', 0.002],
  ['-2', 'negative', -2],
  ['\u22122', 'negative', -2],
  ['\u20102', 'negative', -2],
  ['-0', 0, 0],
  ['\uff16\uff14', 64, 64],
  ['\uff10\uff0e\uff15', 'without a point', 0.5],
  // Grouped by three.
  ['1,000', 1000, 'Write 1.000, or 1000'],
  ['60,000', 60_000, 'Write 60.000, or 60000'],
  ['-1,500', 'negative', 'Write -1.500, or -1500'],
  ['1,234,567', 1_234_567, 1_234_567],
  ['1,234.5', 'digits alone', 1234.5],
  ['60 000', 60_000, 60_000],
  [`60${NBSP}000`, 60_000, 60_000],
  [`60${THIN}000`, 60_000, 60_000],
  [`60${NARROW}000`, 60_000, 60_000],
  ["60'000", 60_000, 60_000],
  ['60\u2019000', 60_000, 60_000],
  ['60\u2018000', 60_000, 60_000],
  ['60_000', 60_000, 60_000],
  ['1_234_567', 1_234_567, 1_234_567],
  // Not grouped by three, or by two signs at once, or after a leading 0.
  ['1,00,000', 'digits alone', 'such as 0.001'],
  ['10,00', 'without a point', 'as in 10.00'],
  ['1,0000', 'without a point', 'as in 1.0000'],
  ['1234,567', 'without a point', 'as in 1234.567'],
  ['1,234 567', 'digits alone', 'such as 0.001'],
  ['1 00', 'digits alone', 'such as 0.001'],
  ['1_0', 'digits alone', 'such as 0.001'],
  ['1,', 'without a point', 'such as 0.001'],
  ['0,001', 'whole number', 'as in 0.001'],
  ['0,125', 'whole number', 'as in 0.125'],
  ['00,125', 'whole number', 'as in 00.125'],
  ['0 001', 'digits alone', 'such as 0.001'],
  // Points and commas for decimals.
  ['0.02', 'without a point', 0.02],
  ['0,02', 'without a point', 'as in 0.02'],
  [',5', 'without a point', 'as in 0.5'],
  ['.5', 'without a point', 0.5],
  ['5.', 'without a point', 5],
  ['5.0', 'without a point', 5],
  ['1.5e3', 'digits alone', 1500],
  ['60.000', 'Write 60,000, or 60', 60],
  ['1.000.000', 'Write 1,000,000', 'such as 0.001'],
  ['1.000,5', 'digits alone', 'such as 0.001'],
  ['1..5', 'digits alone', 'such as 0.001'],
  // No decimal numbers.
  ['', 'enter a number', 'enter a number'],
  ['  ', 'enter a number', 'enter a number'],
  ['.', 'without a point', 'such as 0.001'],
  ['-', 'digits alone', 'such as 0.001'],
  ['e5', 'digits alone', 'such as 0.001'],
  ['1e', 'digits alone', 'such as 0.001'],
  ['1e1.5', 'digits alone', 'such as 0.001'],
  ['--3', 'digits alone', 'such as 0.001'],
  ['- 3', 'digits alone', 'such as 0.001'],
  ['+-3', 'digits alone', 'such as 0.001'],
  ['0x10', 'digits alone', 'such as 0.001'],
  ['0b11', 'digits alone', 'such as 0.001'],
  ['0o17', 'digits alone', 'such as 0.001'],
  ['10n', 'digits alone', 'such as 0.001'],
  ['Infinity', 'digits alone', 'such as 0.001'],
  ['-inf', 'digits alone', 'such as 0.001'],
  ['∞', 'digits alone', 'such as 0.001'],
  ['NaN', 'digits alone', 'such as 0.001'],
  ['1k', 'digits alone', 'such as 0.001'],
  ['1M', 'digits alone', 'such as 0.001'],
  ['50%', 'digits alone', 'such as 0.001'],
  ['64 images', 'digits alone', 'such as 0.001'],
  ['1/2', 'digits alone', 'such as 0.001'],
  ['½', 'digits alone', 'such as 0.001'],
  ['10²', 'digits alone', 'such as 0.001'],
  ['10^3', 'digits alone', 'such as 0.001'],
  ['2*3', 'digits alone', 'such as 0.001'],
  ['١٢', 'digits alone', 'such as 0.001'],
  ['sixty', 'digits alone', 'such as 0.001'],
  ['1 2', 'digits alone', 'such as 0.001'],
  // Beyond what a number can hold.
  ['1e400', 'too large', 'too large'],
  ['-1e400', 'too large', 'too large'],
  ['9007199254740993', 'too large', 9007199254740992],
  ['1e-400', 'too close to 0', 'too close to 0'],
  ['0e-400', 0, 0],
];

test('a number is read as it was meant, or refused with an example', () => {
  for (const [text, ...wanted] of TEXTS) {
    for (const [place, whole] of [true, false].entries()) {
      const reading = readNumber(text, { whole });
      const what = `“${text}” as a ${whole ? 'whole number' : 'number'}: ${JSON.stringify(reading)}`;
      if (typeof wanted[place] === 'number') assert.deepEqual(reading, { value: wanted[place], mistake: null }, what);
      else assert.ok(reading.value === null && reading.mistake.includes(wanted[place]), what);
    }
  }
  assert.deepEqual(readNumber(' ', { whole: true, optional: true }), { value: null, mistake: null });
  assert.equal(readNumber('4294967296', { whole: true, most: 2 ** 32 - 1 }).mistake, 'This number is too large.');
});

test('a list never holds another number than was meant', () => {
  for (const text of ['0:64 1M:256', '60K,120K', '0:64, 1000:128', '1.5K 2.25M', '1000,2000', '0.500', '', 'sizes']) assert.deepEqual(readList(text), { value: text, mistake: null });
  assert.deepEqual(readList(`０：64${NBSP}1000:128`), { value: '0:64 1000:128', mistake: null });
  for (const [text, named] of [['60.000', '60.000'], ['1,500', '1,500'], ['0:64 1,000:128', '1,000'], ['100,200,300', '100,200,300'], ['60K 1.250K', '1.250'], ["0:1'024", "1'024"]]) {
    const { value, mistake } = readList(text);
    assert.equal(value, null);
    assert.equal(mistake, `${named} can be read in more than one way. Write ${named.replaceAll(/\D/g, '')} for one number, and blanks between several.`);
  }
});

test('what the page writes into a field or an address is read again to the last bit', () => {
  for (const value of [0, 1e-300, 5e-324, 0.1 + 0.2, 1 / 3, 1e21, 1.7976931348623157e308, 60_000, -2.5e-7]) {
    assert.deepEqual(readNumber(String(value), { whole: false }), { value, mistake: null });
  }
});

test('however many mistakes there are, three are named and the rest is counted', () => {
  assert.equal(inBrief(['One.', 'Two.']), 'One. Two.');
  assert.equal(inBrief(['One.', 'Two.', 'Three.', 'Four.']), 'One. Two. Three. 1 more mistake.');
  const many = inBrief(Array.from({ length: 60_003 }, () => 'x'.repeat(1e4)));
  assert.match(many, /… 60,000 more mistakes\.$/);
  assert.ok(many.length < 1000);
  assert.equal(shortened('😀'.repeat(300), 5), '😀😀😀😀…');
});

test('fields tell what is wrong beside them, and never take another number', browserTest(), async (t) => {
  const { page, button, waitFor, set } = await openPage(t, { images: ALL_IMAGES });
  await waitFor({ data: 'ready' });
  const told = (id) =>
    page.evaluate((field) => {
      const input = document.getElementById(field);
      const texts = input.getAttribute('aria-describedby').split(' ').map((place) => document.getElementById(place));
      return {
        invalid: input.getAttribute('aria-invalid'),
        text: texts.filter((text) => !text.hidden).map(({ textContent }) => textContent).join(' '),
      };
    }, id);
  for (const [label, id, text, advice] of [
    ['Learning rate', 'setting-learning-rate', '0,001', /as in 0\.001/],
    ['Threshold η', 'setting-test-eta', '1,500', /two ways/],
    ['Growth cap', 'setting-controller-growth-cap', '1,500', /two ways/],
    ['Sample budget', 'setting-sample-budget', '60.000', /Write 60,000, or 60/],
    ['Seed', 'setting-seed', '0x10', /digits alone/],
    ['Initial batch', 'setting-initial-batch', '5000000000', /too large/],
  ]) {
    const before = await page.locator(`#${id}`).inputValue();
    const address = page.url();
    await set({ [label]: text });
    const { invalid, text: said } = await told(id);
    assert.equal(invalid, 'true', label);
    assert.match(said, advice);
    assert.equal(await button('Start').getAttribute('aria-disabled'), 'true', label);
    await set({ [label]: before });
    assert.equal((await told(id)).invalid, null, label);
    assert.equal(page.url(), address);
  }
  await set({ 'Sample budget': '61,000' });
  await page.waitForFunction(() => location.hash.includes('sample_budget=61000'));
  const sample = page.locator('#test-sample');
  for (const [text, advice] of [['10000', /from 0 to 9,999/], ['1e9', /from 0 to 9,999/], ['3.5', /without a point/], ['-1', /negative/], ['seven', /digits alone/], ['', /enter a number/]]) {
    await sample.fill(text);
    await button('Show').click();
    const { invalid, text: said } = await told('test-sample');
    assert.equal(invalid, 'true', text);
    assert.match(said, advice);
  }
  await sample.fill('9,999');
  await button('Show').click();
  await page.locator('#test-sample:not([aria-invalid])').waitFor();
});

test('a list with a number that can be read in two ways is refused in its field and in an address', browserTest(), async (t) => {
  const { page, button, waitFor, set } = await openPage(t, { path: '#preset=quick&model=logistic&controller=smith&controller.milestones=60.000&seed=4' });
  await waitFor({ data: 'ready' });
  const list = page.locator('#setting-controller-milestones');
  assert.match(await page.locator('#address-note').textContent(), /Milestones cannot be read from “controller\.milestones=60\.000”\. 60\.000 can be read in more than one way\. .* It stays 60K 120K 240K\.$/);
  assert.deepEqual([await list.inputValue(), await page.locator('#setting-seed').inputValue()], ['60K 120K 240K', '4']);
  await set({ Milestones: '1,500' });
  assert.match(await page.locator('#mistake-controller-milestones').textContent(), /^1,500 can be read in more than one way/);
  assert.equal(await list.getAttribute('aria-invalid'), 'true');
  assert.equal(await button('Start').getAttribute('aria-disabled'), 'true');
  await set({ Seed: 5 });
  assert.equal(await list.inputValue(), '1,500', 'it stays, to be corrected');
  // Errors of the core are shown in a few words, however long the text is.
  await set({ Milestones: '9K '.repeat(500) });
  await page.waitForFunction(() => /^Milestones/.test(document.getElementById('settings-problem').textContent));
  assert.ok((await page.locator('#settings-problem').textContent()).length < 320);
  await set({ Milestones: '1500 3000 ' });
  await page.waitForFunction(() => location.hash.includes('controller.milestones=1500+3000') && document.getElementById('main-button').getAttribute('aria-disabled') === null);
  assert.equal(await list.inputValue(), '1500 3000 ', 'a blank that is being typed stays');
  await page.locator('#preset').selectOption('quick');
  await list.waitFor({ state: 'detached' });
});

test('a mistake stays, and stays marked, until it is corrected or replaced, whatever else is changed', browserTest(), async (t) => {
  const { page, button, waitFor, set } = await openPage(t, { path: '#preset=quick&model=logistic' });
  await waitFor({ data: 'ready' });
  const rate = page.locator('#setting-learning-rate');
  const isWrong = async (wrong, value) => {
    await page.waitForFunction((is) => (document.getElementById('setting-learning-rate').getAttribute('aria-invalid') === 'true') === is, wrong);
    assert.equal(await rate.inputValue(), value);
    await page.waitForFunction((is) => (document.getElementById('main-button').getAttribute('aria-disabled') === 'true') === is, wrong);
  };
  await set({ 'Learning rate': '0,001', Seed: 7, Test: 'Orthogonality test', 'Threshold ν': 3 });
  await isWrong(true, '0,001');
  // It is disabled for assistive technology alone: a press tells what is wrong.
  await button('Start').click({ force: true });
  await waitFor({ phase: 'idle' });
  // The same setting by another way.
  await page.locator('#knob-learning-rate').fill('100');
  await page.waitForFunction(() => document.getElementById('setting-learning-rate').value !== '0,001');
  const { 1: turned } = /learning_rate=([\d.]+)/.exec(await page.waitForFunction(() => location.hash.includes('learning_rate') && location.hash).then((hash) => hash.jsonValue()));
  await isWrong(false, turned);
  await set({ 'Learning rate': 'fast' });
  await isWrong(true, 'fast');
  await page.locator('#preset').selectOption('quick');
  await isWrong(false, '0.02');
});
