/** Opens a run that was saved as JSON, which is then drawn beside the others. */
import { inBrief, quoted } from '../brief.js';
import { accepted, refused } from '../export/inbox.js';
import type { FileAnswer } from '../export/inbox.js';
import { formatCount } from '../format.js';
import type { RunLibrary } from './library.js';
import { readRunFile, runsIn } from './run-file.js';

/** More than the longest run takes: a file that is larger is not read at all. */
const LARGEST_BYTES = 64 * 1024 * 1024;

export async function openRunFile(file: File, library: RunLibrary): Promise<FileAnswer> {
  const name = quoted(file.name);
  if (file.size > LARGEST_BYTES) return refused(`${name} is larger than any run that this page saves.`);
  let content: unknown;
  try {
    content = JSON.parse(await file.text());
  } catch {
    return refused(`${name} is not valid JSON.`);
  }
  const found = runsIn(content);
  const { room } = library;
  if (found.runs.length > room) return refused(`${name} holds ${runsInWords(found.runs.length)}, but the list of runs has room for ${formatCount(room)}.`);
  const readings = found.runs.map((one) => readRunFile(one, { id: library.newId(), slot: library.freeSlot() }));
  // All of them, or none.
  const mistakes = [...found.mistakes, ...readings.flatMap((reading) => reading.mistakes)];
  if (mistakes.length > 0) return refused(`${name} is not a valid saved run: ${inBrief(mistakes)}`);
  const runs = readings.flatMap(({ run }) => run ?? []);
  const before = library.runs;
  for (const run of runs) {
    run.slot = library.freeSlot();
    library.add(run);
  }
  const removed = before.filter((run) => !library.runs.includes(run)).length;
  const what = runs.length === 1 ? `${quoted(runs[0]?.name ?? '')} from ${name} is` : `${runsInWords(runs.length)} from ${name} are`;
  const whatLeft = removed === 0 ? '' : ` ${removed === 1 ? 'The oldest run has' : `The ${formatCount(removed)} oldest runs have`} left the list to make room.`;
  return accepted(`${what} in the list of runs.${whatLeft}`);
}

function runsInWords(count: number): string {
  return count === 1 ? 'one run' : `${formatCount(count)} runs`;
}
