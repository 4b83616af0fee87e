// Runs test files in the order in which they are named: node's own `--test` sorts them, and the longest would come last.
// node run.mjs AT_ONCE RECORD FILE...: so many files at a time; RECORD gets a line of JSON for each test.
import { createWriteStream } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { pipeline } from 'node:stream/promises';
import times from './times.mjs';

/** A file that hangs must not hang the tests. */
const FILE_MILLISECONDS = 30 * 60_000;

const [atOnce, record, ...files] = process.argv.slice(2);
const tests = run({ files, concurrency: Number(atOnce), timeout: FILE_MILLISECONDS });
tests.on('test:fail', () => (process.exitCode = 1));
await Promise.all([
  pipeline(tests.compose(times), createWriteStream(record)),
  pipeline(tests.compose(new spec()), process.stdout, { end: false }),
]);
