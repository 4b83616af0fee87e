/**
 * Which tab a run is open in. While one tab has it, no other offers it, goes on with it or writes over it.
 *
 * The Web Locks of the origin say so, and a tab that is closed or breaks down lets go of its own. A browser without them
 * (or a page served without https) takes every run to be free.
 */

const PREFIX = 'adadagrad-run-';
const PATIENCE_MILLISECONDS = 3000;

export class RunOwnership {
  #id: string | null = null;
  #release: (() => void) | null = null;
  /** The run that was asked for last; null: none is wanted. */
  #wanted: string | null = null;

  /** Makes a run this tab's, and lets go of the one before; false: another tab has it, or it is not wanted any more. */
  async take(id: string): Promise<boolean> {
    this.#wanted = id;
    if (id === this.#id) return true;
    const release = await hold(id);
    if (release === null) return false;
    // Meanwhile another run may have been asked for, or this one as well by another part of the page.
    if (this.#wanted !== id || this.#id === id) {
      release();
      return this.#id === id;
    }
    this.#letGo();
    this.#id = id;
    this.#release = release;
    return true;
  }

  letGo(): void {
    this.#wanted = null;
    this.#letGo();
  }

  #letGo(): void {
    this.#release?.();
    this.#release = null;
    this.#id = null;
  }
}

/** Whether no tab has the run open. To look takes nothing from anybody. */
export async function isFree(id: string): Promise<boolean> {
  try {
    const { held = [] } = (await Promise.race([locks()?.query(), silence()])) ?? {};
    return held.every(({ name }) => name !== PREFIX + id);
  } catch {
    // Where locks are forbidden, nobody can have one.
    return true;
  }
}

/** Resolves as soon as no other tab has the run open. */
export async function whenFree(id: string): Promise<void> {
  await locks()?.request(PREFIX + id, () => undefined);
}

/** A browser that has not answered by then is taken to have no locks. */
function silence(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), PATIENCE_MILLISECONDS));
}

function locks(): LockManager | null {
  return (navigator as { locks?: LockManager }).locks ?? null;
}

/** Gives what lets go of it again; null: somebody else has it. */
async function hold(id: string): Promise<(() => void) | null> {
  const manager = locks();
  if (manager === null) return () => undefined;
  return new Promise((resolve) => {
    const asked = manager.request(PREFIX + id, { ifAvailable: true }, (lock) => {
      if (lock === null) {
        resolve(null);
        return undefined;
      }
      return new Promise<void>((release) => resolve(release));
    });
    // Where locks are forbidden, nobody can have one.
    asked.catch(() => resolve(() => undefined));
    void silence().then(() => resolve(() => undefined));
  });
}
