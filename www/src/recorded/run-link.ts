/**
 * A run as part of an address: its file, compressed, in letters that an address may hold. People who open the link see
 * the run before training it again.
 */
import type { TrainedRun } from '../runs/trained-run.js';
import { readRunFile, writeRunFile } from '../runs/run-file.js';

export const RUN_WORD = 'run';
/** Of a run that was unfolded. */
const MOST_BYTES = 4_000_000;
/** More steps make the address longer than programs that pass it on allow. */
const MOST_STEPS = 250;
/** Of numbers that are drawn, not computed with. */
const DIGITS = 5;

const FORMAT = 'deflate-raw';

/** Null where this browser cannot compress. */
export async function encodeRun(run: TrainedRun): Promise<string | null> {
  if (typeof CompressionStream !== 'function') return null;
  const json = JSON.stringify(shortened(writeRunFile(run)));
  return toLetters(await through(new CompressionStream(FORMAT), new TextEncoder().encode(json)));
}

/** What an address holds of that; null where it is damaged, or where this browser cannot decompress. */
export async function decodeRun(letters: string): Promise<TrainedRun | null> {
  if (typeof DecompressionStream !== 'function') return null;
  try {
    const bytes = await through(new DecompressionStream(FORMAT), fromLetters(letters));
    return readRunFile(JSON.parse(new TextDecoder().decode(bytes)), { id: 'linked', slot: 0, recorded: true }).run;
  } catch {
    return null;
  }
}

/** The run in an address, or null. */
export function runInAddress(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, '')).get(RUN_WORD);
}

type Written = ReturnType<typeof writeRunFile>;

/** Some of the steps, the first and the last among them, with numbers as exact as they are drawn; all measurements. */
function shortened(file: Written): Written {
  const { length } = file.steps.step;
  const rows = Array.from({ length: Math.min(length, MOST_STEPS) }, (_, place) => (length <= MOST_STEPS ? place : Math.round((place * (length - 1)) / (MOST_STEPS - 1))));
  const thin = <Columns extends Record<string, unknown[]>>(columns: Columns): Columns =>
    Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values.length === length ? rows.map((row) => rounded(values[row])) : values])) as Columns;
  const { observed, ...rest } = file;
  const thinned = { ...rest, steps: thin(file.steps), reasons: thin(file.reasons) };
  if (observed === undefined) return thinned;
  return { ...thinned, observed: Object.fromEntries(Object.entries(observed).map(([name, columns]) => [name, thin(columns)])) };
}

/** Whole numbers stay whole. */
function rounded(value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(DIGITS)) : value;
}

async function through(stream: CompressionStream | DecompressionStream, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    // A short address can unfold to gigabytes.
    if (length > MOST_BYTES) {
      await reader.cancel();
      throw new Error('the run is too long');
    }
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function toLetters(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function fromLetters(letters: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(letters.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}
