// What a test waits for, it causes: no test of the page waits for a time to pass, or for luck.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import test from 'node:test';

/** How often each file may use a clock, and why. */
const EXCEPTIONS = {
  // `cargo xtask soak --minutes`: a run as long as it was asked for.
  'soak.test.mjs': 1,
};

/** A pause, chance, and a wait whose limit is no matter of patience alone. */
const CLOCKS = /waitForTimeout|Math\.random|setTimeout\([^,]*, ?[1-9]/g;

test('no test waits for a time to pass', async () => {
  const files = (await readdir(import.meta.dirname)).filter((file) => file.endsWith('.test.mjs') && file !== 'steady.test.mjs');
  assert.ok(files.length > 20);
  for (const file of files) {
    const text = await readFile(new URL(file, import.meta.url), 'utf8');
    const found = text.match(CLOCKS) ?? [];
    assert.equal(found.length, EXCEPTIONS[file] ?? 0, `${file}: ${found.join(', ')}: let the test cause what it waits for (support/steady.mjs)`);
  }
});
