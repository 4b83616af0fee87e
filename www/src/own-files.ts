/** Files of the visitor's: told apart, unpacked and checked by the wasm module, which must be loaded. Runs in workers. */
import { choose_own_files, read_own_files } from '../pkg/adadagrad_web.js';
import type { OwnFiles, TextSettings } from '../pkg/adadagrad_web.js';
import { DataError } from './data-error.js';
import { text } from './words-of-errors.js';

/** `how`: a text is read. */
export async function readOwnFiles(files: readonly File[], how: TextSettings): Promise<OwnFiles> {
  const sizes = Float64Array.from(files, ({ size }) => size);
  const places = inWords(() => choose_own_files(files.map(nameOf), sizes));
  const chosen = [...places].flatMap((place) => files[place] ?? []);
  const contents: Uint8Array[] = [];
  for (const file of chosen) contents.push(await bytesOf(file));
  return inWords(() => read_own_files(chosen.map(nameOf), contents, how));
}

function nameOf({ name }: File): string {
  return name;
}

async function bytesOf(file: File): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new DataError(`${file.name} cannot be read: it was moved, deleted or locked, or changed while it was read.`);
  }
}

/** What the module says of the files is for the visitor, unless it broke down. */
function inWords<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw error instanceof WebAssembly.RuntimeError ? error : new DataError(text(error));
  }
}
