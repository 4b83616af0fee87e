/** Downloads, decompresses and checks the files of a data set. Runs in the worker. */
import type { DatasetName, ImageFiles, TextFiles } from '../pkg/adadagrad_web.js';
import { ConnectionError, DataError } from './data-error.js';
import { forget, keep, recall } from './offline/data-cache.js';

interface FileEntry {
  name: string;
  bytes: number;
  compressed_bytes: number;
  sha256: string;
}

interface Manifest {
  source: string;
  files: FileEntry[];
}

export interface DownloadProgress {
  receivedBytes: number;
  totalBytes: number;
  /** All bytes are here and the check sums are being computed. */
  checking: boolean;
}

const FILE_NAMES: Readonly<Record<Exclude<keyof ImageFiles, 'classes'>, string>> = {
  train_images: 'train-images-idx3-ubyte',
  train_labels: 'train-labels-idx1-ubyte',
  test_images: 't10k-images-idx3-ubyte',
  test_labels: 't10k-labels-idx1-ubyte',
};

/** Of a text: what is trained on, and what accuracy is measured on. */
const TEXT_NAMES = ['training.txt', 'validation.txt'];

/** Of each data set of images that lies beside the page. */
const CLASSES = 10;

/** Which data sets lie beside the page: known when it is built, so that nobody need ask the server. */
declare const PACKED_DATASETS: DatasetName[];

export function availableDatasets(): DatasetName[] {
  return PACKED_DATASETS;
}

type Report = (progress: DownloadProgress) => void;

/** A data set of images; `address`: its folder. */
export async function loadImages(address: string, report: Report): Promise<ImageFiles> {
  const { train_images, train_labels, test_images, test_labels } = FILE_NAMES;
  return loadFiles(address, report, async (load) => {
    const files = await Promise.all([load(train_images), load(train_labels), load(test_images), load(test_labels)]);
    return { train_images: files[0], train_labels: files[1], test_images: files[2], test_labels: files[3], classes: CLASSES };
  });
}

/** A text; `address`: its folder. */
export async function loadText(address: string, report: Report): Promise<TextFiles> {
  return loadFiles(address, report, async (load) => ({ texts: await Promise.all(TEXT_NAMES.map(load)) }));
}

async function loadFiles<Files>(address: string, report: Report, gather: (load: (name: string) => Promise<Uint8Array>) => Promise<Files>): Promise<Files> {
  // One broken file makes the others useless: they are not downloaded to the end.
  const abort = new AbortController();
  const manifest = await loadManifest(address, abort.signal);
  const totalBytes = manifest.files.reduce((sum, entry) => sum + entry.compressed_bytes, 0);
  const received = new Map<string, number>();
  let filesToCheck = 0;
  const publish = (): void => {
    if (abort.signal.aborted) return;
    const receivedBytes = [...received.values()].reduce((sum, bytes) => sum + bytes, 0);
    report({ receivedBytes, totalBytes, checking: filesToCheck === manifest.files.length });
  };
  const load = async (name: string): Promise<Uint8Array> => {
    const entry = findEntry(manifest, name);
    return loadFile(address, entry, abort.signal, {
      received: (compressedBytes) => {
        received.set(name, compressedBytes);
        publish();
      },
      complete: () => {
        filesToCheck += 1;
        publish();
      },
    });
  };
  try {
    return await gather(load);
  } catch (error) {
    abort.abort();
    throw error;
  }
}

async function loadManifest(address: string, signal: AbortSignal): Promise<Manifest> {
  const response = await request(new URL('manifest.json', address), 'manifest.json', signal);
  let content: unknown;
  try {
    content = await response.json();
  } catch {
    throw new DataError('The list of data files (manifest.json) cannot be read: it is not valid JSON.');
  }
  if (!isManifest(content)) {
    throw new DataError('The list of data files (manifest.json) does not have the form that this page expects.');
  }
  return content;
}

function isManifest(content: unknown): content is Manifest {
  if (typeof content !== 'object' || content === null || !('files' in content)) return false;
  return Array.isArray(content.files) && content.files.every(isFileEntry);
}

function isFileEntry(entry: unknown): entry is FileEntry {
  if (typeof entry !== 'object' || entry === null) return false;
  const fields = entry as Partial<Record<keyof FileEntry, unknown>>;
  return (
    typeof fields.name === 'string' &&
    typeof fields.bytes === 'number' &&
    typeof fields.compressed_bytes === 'number' &&
    typeof fields.sha256 === 'string'
  );
}

function findEntry(manifest: Manifest, name: string): FileEntry {
  const entry = manifest.files.find((candidate) => candidate.name === name);
  if (entry === undefined) throw new DataError(`The list of data files (manifest.json) does not name ${name}.`);
  return entry;
}

async function request(address: URL, name: string, signal: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { signal });
  } catch {
    throw new ConnectionError(`${name} could not be downloaded: the server did not answer.`);
  }
  if (response.status === 404) {
    throw new DataError(`The data file ${name} is missing on this server (“cargo xtask data” makes the data files).`);
  }
  if (!response.ok) throw new DataError(`${name} could not be downloaded: the server answered ${response.status}.`);
  if (isWebPage(response)) {
    throw new ConnectionError(`A web page arrived instead of ${name}: this network may ask you to sign in, or the site may lack the file.`);
  }
  return response;
}

/** As networks with a sign-in page answer everything, and some hosts whatever they do not have. */
function isWebPage({ headers }: Response): boolean {
  return /^text\/html\b/i.test(headers.get('content-type') ?? '');
}

/** How far a file is. */
interface FileProgress {
  received(compressedBytes: number): void;
  /** All of it is here; what remains is its check sum. */
  complete(): void;
}

/** A file that an earlier visit kept need not be downloaded again. */
async function loadFile(address: string, entry: FileEntry, signal: AbortSignal, progress: FileProgress): Promise<Uint8Array> {
  const name = `${entry.name}.gz`;
  const file = { address: new URL(name, address).href, sha256: entry.sha256 };
  const kept = await recall(file);
  if (kept !== null) {
    try {
      return await unpack(kept, entry, progress);
    } catch {
      await forget(file);
    }
  }
  const response = await request(new URL(file.address), name, signal);
  const copy = response.clone();
  try {
    const bytes = await unpack(response, entry, progress);
    // Training need not wait for it.
    void keep(file, copy);
    return bytes;
  } catch (error) {
    // Its other half may have been broken off already.
    copy.body?.cancel().catch(() => undefined);
    throw error;
  }
}

async function unpack(response: Response, entry: FileEntry, progress: FileProgress): Promise<Uint8Array> {
  const name = `${entry.name}.gz`;
  if (response.body === null) throw new DataError(`${name} is empty.`);
  let bytes: Uint8Array;
  try {
    bytes = await decompress(response.body, entry, (compressedBytes) => progress.received(compressedBytes));
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${name} is broken: the download ended early or its bytes cannot be decompressed.`);
  }
  progress.complete();
  await checkSum(entry, bytes);
  return bytes;
}

/**
 * Some servers send .gz files with `Content-Encoding: gzip`, so that the browser has decompressed them
 * already; others do not. The first two bytes tell.
 */
async function decompress(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  entry: FileEntry,
  report: (compressedBytes: number) => void,
): Promise<Uint8Array> {
  const reader = body.getReader();
  const head = await readAtLeast(reader, 2);
  const compressed = head[0] === 0x1f && head[1] === 0x8b;
  const expectedBytes = compressed ? entry.compressed_bytes : entry.bytes;
  let received = head.length;
  const counted = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(head),
    pull: async (controller) => {
      const { done, value } = await reader.read().catch((error: unknown) => {
        // What the browser decompresses by itself can be broken as well.
        throw compressed ? new ConnectionError(`${entry.name}.gz could not be downloaded: the connection broke off.`) : error;
      });
      if (done) return controller.close();
      received += value.length;
      report(Math.min(1, received / expectedBytes) * entry.compressed_bytes);
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
  const plain = compressed ? counted.pipeThrough(new DecompressionStream('gzip')) : counted;
  return readExactly(plain, entry);
}

async function readAtLeast(
  reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  let head = new Uint8Array(0);
  while (head.length < length) {
    const { done, value } = await reader.read();
    if (done) break;
    const joined = new Uint8Array(head.length + value.length);
    joined.set(head);
    joined.set(value, head.length);
    head = joined;
  }
  return head;
}

async function readExactly(stream: ReadableStream<Uint8Array>, entry: FileEntry): Promise<Uint8Array> {
  const bytes = new Uint8Array(entry.bytes);
  const reader = stream.getReader();
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (length + value.length > bytes.length) throw wrongLength(entry, 'more');
    bytes.set(value, length);
    length += value.length;
  }
  if (length < bytes.length) throw wrongLength(entry, `only ${length}`);
  return bytes;
}

function wrongLength(entry: FileEntry, found: string): DataError {
  return new DataError(`${entry.name}.gz is broken: it should hold ${entry.bytes} bytes, but there are ${found}.`);
}

async function checkSum(entry: FileEntry, bytes: Uint8Array): Promise<void> {
  // Pages served over plain http from another machine have no crypto.subtle; the session still checks the headers.
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) return;
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
  const sum = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (sum !== entry.sha256.toLowerCase()) {
    throw new DataError(`${entry.name}.gz is broken: its checksum does not match the published data set.`);
  }
}
