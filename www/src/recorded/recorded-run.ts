/** Draws a run that was recorded when the page was made, so that there is something to understand before the first click. */
import { quoted } from '../brief.js';
import { required, setText } from '../dom.js';
import { formatCount, formatPercent } from '../format.js';
import type { RunLibrary } from '../runs/library.js';
import { readRunFile } from '../runs/run-file.js';
import type { TrainedRun } from '../runs/trained-run.js';
import type { PageState } from '../state.js';
import address from './quick.json?url';
import { decodeRun, runInAddress } from './run-link.js';

/** Any run of the visitor's takes its place; without the file the page is as it would be. */
export function showRecordedRun(state: PageState, library: RunLibrary): void {
  const note = required('recorded-note', HTMLElement);
  const linked = runInAddress(location.hash);
  void (linked === null ? load() : decodeRun(linked)).then((run) => {
    if (run === null) {
      note.hidden = linked === null;
      setText(note, linked === null ? '' : 'The run in the address could not be read: the link may have been cut off, or this browser is too old. Its settings are used all the same.');
      return;
    }
    library.setRecorded(run);
    setText(note, describe(run, linked === null ? 'A recorded run' : `${quoted(run.name)}, the run of the link`));
    library.revision.observe(() => {
      const isDrawn = library.leading === run;
      note.hidden = !isDrawn;
      if (isDrawn && state.shownStep.value === null) state.shownStep.value = lastStep(run);
    });
  });
}

async function load(): Promise<TrainedRun | null> {
  try {
    const answer = await fetch(new URL(address, document.baseURI));
    return answer.ok ? readRunFile(await answer.json(), { id: 'recorded', slot: 0, recorded: true }).run : null;
  } catch {
    // It is an example and nothing else: what can be trained here does not depend on it.
    return null;
  }
}

function describe(run: TrainedRun, beginning: string): string {
  const { log } = run;
  const samples = log.column('samples');
  const accuracy = run.evaluations.at(-1)?.accuracy;
  const read = accuracy === undefined ? '' : `; at its end, ${formatPercent(accuracy)} of the test images were classified correctly`;
  return (
    `${beginning}: the batch grew from ${formatCount(samples[0] ?? 0)} to ${formatCount(samples.at(-1) ?? 0)} ` +
    `in ${formatCount(log.last('step') ?? 0)} steps over ${formatCount(log.last('samples_seen') ?? 0)} samples${read}. ` +
    'Press Start to train the network here: your run replaces this one.'
  );
}

function lastStep(run: TrainedRun): PageState['shownStep']['value'] {
  const step = run.log.record(run.log.length - 1);
  return { config: run.configAt(step.step), step, recorded: true, accuracy: run.evaluations.at(-1)?.accuracy };
}
