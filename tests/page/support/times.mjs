// A reporter for node:test: one JSON object per line for each test of a file, with its seconds and whether it passed.
import { relative } from 'node:path';

export default async function* times(source) {
  for await (const { type, data } of source) {
    // What stands inside a test or a file counts with it.
    if ((type !== 'test:pass' && type !== 'test:fail') || data.nesting > 0) continue;
    const { file, name, details } = data;
    const skipped = data.skip !== undefined && data.skip !== false;
    yield `${JSON.stringify({ file: relative(process.cwd(), file ?? ''), name, seconds: details.duration_ms / 1000, passed: type === 'test:pass', skipped })}\n`;
  }
}
