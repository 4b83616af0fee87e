/** The run that was deleted last can be brought back, until another is deleted or the page is closed. */
import { onPress, required, setText } from '../dom.js';
import { quoted } from '../brief.js';
import type { RunLibrary } from './library.js';

export class UndoDelete {
  constructor(library: RunLibrary) {
    const note = required('runs-deleted', HTMLElement);
    const text = required('runs-deleted-text', HTMLElement);
    onPress(required('runs-undo', HTMLButtonElement), () => library.restore());
    library.deleted.observe((deleted) => {
      note.hidden = deleted === null;
      setText(text, deleted === null ? '' : `${quoted(deleted.name)} was deleted.`);
    });
  }
}
