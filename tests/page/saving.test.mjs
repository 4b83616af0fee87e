// What saved files are called and hold: names of all scripts, legends whose entries never overlap, decimals as spreadsheets want them.
import assert from 'node:assert/strict';
import test from 'node:test';
import { loadModule } from './support/module.mjs';
import { QUICK } from './support/settings.mjs';

const { fileName } = await loadModule('export/download.ts');
const { layOutLegend } = await loadModule('export/legend-layout.ts');
const { runCsv, DECIMAL_COMMA_CSV } = await loadModule('export/run-csv.ts');
const { readRunFile } = await loadModule('runs/run-file.ts');
const { STEP_COLUMNS } = await loadModule('runs/step-log.ts');
const { pointsOnLine } = await loadModule('charts/points.ts');
const { PadInk } = await loadModule('look/ink.ts');

test('a file name keeps letters of all scripts, and nothing that a file system refuses', () => {
  const names = {
    'Run 1': 'adadagrad-run-1.csv',
    'Run 2, η = 0.5': 'adadagrad-run-2-η-0.5.csv',
    '第一次训练': 'adadagrad-第一次训练.csv',
    'आदिश्री': 'adadagrad-आदिश्री.csv',
    'تجربة ١': 'adadagrad-تجربة-١.csv',
    'Ünï côdé': 'adadagrad-ünï-côdé.csv',
    'u\u0308ber': 'adadagrad-über.csv',
    '../../etc/passwd': 'adadagrad-etc-passwd.csv',
    '.hidden': 'adadagrad-hidden.csv',
    'CON': 'adadagrad-con.csv',
    'a<b>:"/\\|?*\u0000\n': 'adadagrad-a-b.csv',
    '\u202egnp.exe\u200f': 'adadagrad-gnp.exe.csv',
    'ends. ': 'adadagrad-ends.csv',
    '🎉 v2': 'adadagrad-🎉-v2.csv',
    '\ud800broken': 'adadagrad-broken.csv',
  };
  for (const [name, expected] of Object.entries(names)) assert.equal(fileName(name, 'csv'), expected, JSON.stringify(name));
  // What nothing is left of, and what is too long, still differ.
  const others = ['', '+', '—', '\u202e', '字'.repeat(300), `${'字'.repeat(300)}二`, 'a'.repeat(100_000)].map((name) => fileName(name, 'csv'));
  assert.equal(new Set(others).size, others.length);
  for (const name of others) {
    assert.ok(Buffer.byteLength(name) <= 220, `${Buffer.byteLength(name)} bytes`);
    assert.match(name, /^adadagrad-[\p{L}\p{N}-]+\.csv$/u);
    assert.ok(name.isWellFormed());
  }
});

test('the entries of a saved legend never overlap, and never leave the picture', () => {
  // Chinese letters are twice as wide here.
  const measure = (text) => [...text].reduce((sum, character) => sum + (character.codePointAt(0) > 0x2000 ? 12 : 6), 0);
  const names = ['loss', 'A run with a name as long as it can be, so that it fills the row and more than the row and even more', '第一次训练'.repeat(30), 'Run 4', 'Run 5', 'x'.repeat(5000)];
  for (const width of [300, 768]) {
    const lines = names.map((label) => ({ label, inLegend: true, kind: 'line', dash: [], width: 2, colour: 0, x: [], y: [] }));
    const { entries, rows } = layOutLegend([...lines, { ...lines[0], inLegend: false }], width, measure);
    assert.equal(entries.length, names.length);
    entries.forEach((entry, index) => {
      const end = entry.textLeft + measure(entry.label);
      assert.ok(end <= width, `${width}: “${entry.label.slice(0, 20)}” ends at ${end}`);
      const next = entries[index + 1];
      if (next?.row === entry.row) assert.ok(next.left > end, `“${next.label}” lies on “${entry.label}”`);
      assert.ok(entry.row < rows);
      assert.ok(entry.label === names[index] || (entry.label.endsWith('…') && entry.label.length > 10));
    });
  }
});

test('CSV with decimal commas holds the same numbers', () => {
  const steps = Object.fromEntries(STEP_COLUMNS.map((name, place) => [name, [place + 1, (place + 2) / 7]]));
  const whole = { step: [1, 2], samples: [8, 8], samples_seen: [8, 16], next_batch: [8, 8], elapsed: [0.5, 1.25] };
  Object.assign(steps, whole, { variance: [null, 1.5e-9] });
  const file = { format: 'adadagrad-run', version: 1, name: 'Mine', config: QUICK, computed_by: null, changes: [], evaluations: [], steps };
  const { run, mistakes } = readRunFile(file, { id: 'a', slot: 0 });
  assert.deepEqual(mistakes, []);
  const plain = runCsv(run).trimEnd().split('\n').map((line) => line.split(','));
  const comma = runCsv(run, DECIMAL_COMMA_CSV).trimEnd().split('\n').map((line) => line.split(';'));
  assert.deepEqual(comma[0], plain[0]);
  assert.deepEqual(comma.slice(1).map((line) => line.map((value) => value.replace(',', '.'))), plain.slice(1));
  assert.ok(comma[2].includes('1,5e-9'));
  assert.ok(!runCsv(run, DECIMAL_COMMA_CSV).includes('.') || comma[0].join().includes('.'), 'points stand in names of columns alone');
});

test('what no stroke reaches is drawn as a point', () => {
  const long = Array.from({ length: 40 }, (_, row) => row);
  const cases = [
    [[], []],
    [[7], [0]],
    [[null, 7, null], [1]],
    [[1, 2, 3], [0, 1, 2]],
    [long, []],
    // A gap on both sides; a gap at the end; positions of other lines (undefined) are no gaps.
    [[...long.slice(0, 20), null, 5, null, ...long.slice(23)], [21]],
    [[...long, null, 3], [41]],
    [[...long.flatMap((value) => [value, undefined])], []],
    [[...Array(500).fill(undefined), 3, ...Array(500).fill(undefined)], [500]],
    [[...Array(30).fill(null), 3], [30]],
  ];
  for (const [values, expected] of cases) assert.deepEqual(pointsOnLine(values), expected);
});

test('ink is computed from strokes: round ends, soft edges, nothing twice', () => {
  const ink = new PadInk();
  const at = (x, y) => ink.values[Math.floor(y * 16) * ink.width + Math.floor(x * 16)];
  ink.stroke({ x: 8, y: 14 }, { x: 20, y: 14 });
  const once = ink.values.slice();
  const area = once.reduce((sum, value) => sum + value, 0) / 255 / 256;
  assert.ok(Math.abs(area - (12 * 2.8 + Math.PI * 1.4 ** 2)) < 0.05, `an area of ${area}`);
  for (const [x, y] of [[8, 14], [14, 13], [20, 15], [6.8, 14]]) assert.equal(at(x, y), 255, `${x}, ${y}`);
  for (const [x, y] of [[8, 12], [14, 16], [6.4, 14], [6.9, 12.9]]) assert.equal(at(x, y), 0, `${x}, ${y}`);
  ink.stroke({ x: 8, y: 14 }, { x: 20, y: 14 });
  assert.deepEqual(ink.values, once);
  // A dot, a stroke from outside, one that is nowhere.
  ink.clear();
  ink.stroke({ x: 5, y: 5 }, { x: 5, y: 5 });
  assert.equal(at(5, 5), 255);
  ink.stroke({ x: -40, y: 20 }, { x: 2, y: 20 });
  assert.equal(at(0.5, 20), 255);
  ink.clear();
  ink.stroke({ x: Number.NaN, y: 1 }, { x: 2, y: 3 });
  ink.stroke({ x: 100, y: 100 }, { x: 200, y: 100 });
  assert.ok(ink.values.every((value) => value === 0));
});
