// A reporter for node:test: one JSON object per line for each test of a file, with its seconds, whether it passed, and what
// failed in it.
import { relative } from 'node:path';

export default async function* times(source) {
  /** What failed inside of the tests that still run, by their files. */
  const inside = new Map();
  for await (const { type, data } of source) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const { file, name, details } = data;
    if (data.nesting > 0) {
      // A test fails with each one inside it: that one says more.
      if (type === 'test:fail' && details.error?.failureType !== 'subtestsFailed') inside.set(file, [...(inside.get(file) ?? []), `${name}: ${message(details.error)}`]);
      continue;
    }
    const reasons = [...(inside.get(file) ?? [])];
    inside.delete(file);
    if (type === 'test:fail' && details.error?.failureType !== 'subtestsFailed') reasons.push(message(details.error));
    const skipped = data.skip !== undefined && data.skip !== false;
    yield `${JSON.stringify({ file: relative(process.cwd(), file ?? ''), name, seconds: details.duration_ms / 1000, passed: type === 'test:pass', skipped, reasons })}\n`;
  }
}

/** What went wrong, in one line. */
function message(error) {
  return String(error?.cause?.message ?? error?.message ?? error).replaceAll(/\s+/g, ' ').slice(0, 600);
}
