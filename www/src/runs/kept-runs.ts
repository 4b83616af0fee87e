/** Runs that are kept from visit to visit: written as soon as they are marked, named or grown, read when the page opens. */
import { required, setText } from '../dom.js';
import { formatCount } from '../format.js';
import type { RunLibrary } from './library.js';
import { readStoredRun, storeRun } from './run-file.js';
import type { StoredRun } from './run-file.js';
import { all, describeStorageFailure, remove, update } from './storage.js';
import type { TrainedRun } from './trained-run.js';

/** About 2 MB each at the very most. */
const MOST_KEPT = 12;

export class KeptRuns {
  readonly #library: RunLibrary;
  readonly #note = required('runs-note', HTMLElement);
  /** What was written last of each run. */
  readonly #written = new Map<string, string>();

  constructor(library: RunLibrary) {
    this.#library = library;
    void this.#recall().then(() => library.revision.observe(() => this.#follow()));
  }

  async #recall(): Promise<void> {
    try {
      let unreadable = 0;
      for (const content of await all('runs')) {
        const { run } = readStoredRun(content, { slot: this.#library.freeSlot() });
        if (run === null) {
          unreadable += 1;
          continue;
        }
        run.pinned = true;
        // They are here, but the page opens with what is new.
        run.shown = false;
        this.#library.add(run);
        this.#written.set(run.id, stateOf(run));
      }
      if (unreadable > 0) this.#tellUnreadable(unreadable);
    } catch {
      // Where nothing can be kept, nothing was; whoever marks a run is told.
    }
  }

  /** They stay where they are: the version of the page that wrote them may come back. */
  #tellUnreadable(count: number): void {
    this.#note.hidden = false;
    setText(this.#note, `${count === 1 ? 'One kept run is' : `${formatCount(count)} kept runs are`} not shown: the stored data are damaged, or written by another version of the page.`);
  }

  #follow(): void {
    const pinned = this.#library.runs.filter((run) => run.pinned);
    for (const id of this.#written.keys()) {
      if (!pinned.some((run) => run.id === id)) this.#forget(id);
    }
    for (const run of pinned) {
      if (this.#written.get(run.id) !== stateOf(run)) this.#keep(run, pinned.length);
    }
  }

  #keep(run: TrainedRun, count: number): void {
    if (count > MOST_KEPT && !this.#written.has(run.id)) {
      this.#refuse(run, `${MOST_KEPT} runs are kept already: delete one, or stop keeping one.`);
      return;
    }
    this.#written.set(run.id, stateOf(run));
    const own = storeRun(run);
    const isCurrent = run === this.#library.current;
    update('runs', run.id, (before) => (isCurrent ? own : withLongerLog(own, before))).then(
      () => (this.#note.hidden = true),
      (error: unknown) => {
        this.#written.delete(run.id);
        this.#refuse(run, describeStorageFailure(error));
      },
    );
  }

  #refuse(run: TrainedRun, reason: string): void {
    run.pinned = false;
    this.#note.hidden = false;
    setText(this.#note, `“${run.name}” cannot be kept. ${reason}`);
    this.#library.touch();
  }

  #forget(id: string): void {
    this.#written.delete(id);
    remove('runs', id).catch((error: unknown) => {
      this.#note.hidden = false;
      setText(this.#note, `A run that was kept could not be deleted. ${describeStorageFailure(error)}`);
    });
  }
}

/** Another tab may have gone on with the run since it was read here: then only its name is this tab's to change. */
function withLongerLog(own: StoredRun, before: unknown): StoredRun {
  const { run } = readStoredRun(before, { slot: 0 });
  return run !== null && run.log.length > own.log.columns.step.length ? { ...storeRun(run), name: own.name } : own;
}

/** A run that has this state was written as it is. */
function stateOf(run: TrainedRun): string {
  return `${run.name} ${run.log.length} ${run.evaluations.length} ${run.changes.length}`;
}
