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
  const readings = found.runs.map((one) => readRunFile(one, { id: library.newId(), slot: library.freeSlot() }));
  // All of them, or none.
  const mistakes = [...found.mistakes, ...readings.flatMap((reading) => reading.mistakes)];
  if (mistakes.length > 0) return refused(`${name} is not a valid saved run: ${inBrief(mistakes)}`);
  const runs = readings.flatMap(({ run }) => run ?? []);
  for (const run of runs) {
    run.slot = library.freeSlot();
    library.add(run);
  }
  const names = runs.map((run) => quoted(run.name));
  return accepted(names.length === 1 ? `${names.join('')} from ${name} is in the list of runs.` : `${formatCount(names.length)} runs from ${name} are in the list of runs.`);
}
