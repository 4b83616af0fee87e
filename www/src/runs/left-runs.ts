/** The runs that were left, as the browser keeps them: one entry per run, so that no tab writes over another's. */
import type { Checkpoint } from '../../pkg/adadagrad_web.js';
import { isFree } from './ownership.js';
import { readCheckpoint, readStoredRun } from './run-file.js';
import type { StoredRun } from './run-file.js';
import { entries, put, remove } from './storage.js';
import type { TrainedRun } from './trained-run.js';

/** What is kept of a run that was left. */
export interface LeftRun {
  checkpoint: Checkpoint;
  run: StoredRun;
  /** Milliseconds since 1970. Earlier pages kept one run, without it. */
  savedAt?: number;
}

/** A run that can be gone on with. */
export interface Resumable {
  key: string;
  run: TrainedRun;
  checkpoint: Checkpoint;
}

/** The oldest go first. */
const MOST_LEFT = 6;

/** Where there is no more room, what other runs have left is given up for this one. */
export async function keepLeft(checkpoint: Checkpoint, run: StoredRun): Promise<void> {
  const left: LeftRun = { checkpoint, run, savedAt: Date.now() };
  try {
    await put('left', run.id, left);
  } catch (error) {
    if (!(error instanceof DOMException) || error.name !== 'QuotaExceededError') throw error;
    await forgetOldest(0, run.id);
    await put('left', run.id, left);
  }
}

export function forgetLeft(key: string): Promise<void> {
  return remove('left', key);
}

/** Makes room: what no tab has open beyond the newest goes. */
export async function forgetOldest(most = MOST_LEFT, except?: string): Promise<void> {
  const others = (await newestFirst()).filter(([key]) => key !== except);
  for (const [key, left] of others.slice(most)) if (await isFree(left.run?.id ?? key)) await remove('left', key);
}

/** Those that can be read, the newest first. `slot`: the colour for each. */
export async function leftRuns(slot: number): Promise<Resumable[]> {
  return (await newestFirst()).flatMap(([key, left]) => {
    const { run } = readStoredRun(left.run, { slot });
    const checkpoint = readCheckpoint(left.checkpoint);
    return run === null || run.log.length === 0 || checkpoint === null ? [] : [{ key, run, checkpoint }];
  });
}

async function newestFirst(): Promise<[string, Partial<LeftRun>][]> {
  const found = (await entries('left')).filter((entry): entry is [string, Partial<LeftRun>] => typeof entry[1] === 'object' && entry[1] !== null);
  return found.sort(([, one], [, other]) => timeOf(other) - timeOf(one));
}

/** Whatever is kept there. */
function timeOf({ savedAt }: { savedAt?: unknown }): number {
  return Number.isFinite(savedAt) ? Number(savedAt) : 0;
}
