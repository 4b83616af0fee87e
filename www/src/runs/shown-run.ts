/** Names the run that numbers, batch and test are about, where there are several. */
import { required, setText } from '../dom.js';
import { quoted } from '../brief.js';
import type { RunLibrary } from './library.js';

export function nameShownRun(library: RunLibrary): void {
  const note = required('shown-run', HTMLElement);
  library.revision.observe(() => {
    const { current, runs } = library;
    note.hidden = current === null || runs.length < 2;
    setText(note, current === null ? '' : `Shown here: ${quoted(current.name)}`);
  });
}
