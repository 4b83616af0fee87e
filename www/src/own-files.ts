/** Four IDX files of the visitor's: told apart, unpacked and checked. Runs in the page, which looks first, and in the worker. */
import type { DatasetFiles } from '../pkg/adadagrad_web.js';
import { DataError } from './data-error.js';

const SIDE = 28;
const CLASSES = 10;
/** Protects against packed files that never end. */
const LARGEST_BYTES = 256 * 1024 * 1024;
const IMAGE_HEADER_BYTES = 16;
export const LABEL_HEADER_BYTES = 8;

interface OwnFile {
  name: string;
  kind: 'images' | 'labels';
  bytes: Uint8Array;
  /** Images or labels in it. */
  count: number;
}

export async function readOwnFiles(files: File[]): Promise<DatasetFiles> {
  if (files.length !== 4) {
    throw new DataError(`Four files are needed: images and labels for training, images and labels for the test. There ${files.length === 1 ? 'is 1' : `are ${files.length}`}.`);
  }
  const parsed: OwnFile[] = [];
  // One after another: all at once would take twice the memory.
  for (const file of files) parsed.push(parse(file.name, await unpack(file)));
  const [trainImages, testImages] = split(parsed, 'images');
  const [trainLabels, testLabels] = split(parsed, 'labels');
  checkPair(trainImages, trainLabels);
  checkPair(testImages, testLabels);
  return { train_images: trainImages.bytes, train_labels: trainLabels.bytes, test_images: testImages.bytes, test_labels: testLabels.bytes };
}

async function unpack(file: File): Promise<Uint8Array> {
  const head = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const packed = head[0] === 0x1f && head[1] === 0x8b;
  const stream = packed ? file.stream().pipeThrough(new DecompressionStream('gzip')) : file.stream();
  try {
    return await readAll(stream, file.name);
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${file.name} cannot be ${packed ? 'unpacked' : 'read'}: it is broken, or was changed while it was read.`);
  }
}

async function readAll(stream: ReadableStream<Uint8Array<ArrayBuffer>>, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > LARGEST_BYTES) throw new DataError(`${name} is larger than 256 MB, the largest size that this page accepts.`);
    chunks.push(value);
  }
  const bytes = new Uint8Array(length);
  let place = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, place);
    place += chunk.length;
  }
  return bytes;
}

/** The header: two zero bytes, 8 for bytes, the number of dimensions, and each dimension as a big-endian word. */
function parse(name: string, bytes: Uint8Array): OwnFile {
  const [first, second, type, dimensions] = bytes;
  if (first !== 0 || second !== 0 || type !== 8 || (dimensions !== 1 && dimensions !== 3)) {
    throw new DataError(`${name} is not an IDX file of images or labels: it should start with the bytes 0, 0, 8, and then 3 (images) or 1 (labels).`);
  }
  const kind = dimensions === 3 ? 'images' : 'labels';
  const header = kind === 'images' ? IMAGE_HEADER_BYTES : LABEL_HEADER_BYTES;
  if (bytes.length < header) throw new DataError(`${name} ends within its header.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(4);
  if (count === 0) throw new DataError(`${name} is empty: its header says 0 ${kind}.`);
  if (kind === 'images') checkSize(name, view.getUint32(8), view.getUint32(12));
  const expected = header + count * (kind === 'images' ? SIDE * SIDE : 1);
  if (bytes.length !== expected) {
    throw new DataError(`${name} should hold ${expected} bytes for the ${count} ${kind} that its header names, but it holds ${bytes.length}.`);
  }
  if (kind === 'labels') checkLabels(name, bytes.subarray(header));
  return { name, kind, bytes, count };
}

function checkSize(name: string, rows: number, columns: number): void {
  if (rows === SIDE && columns === SIDE) return;
  throw new DataError(`The images in ${name} have ${columns}×${rows} pixels, but the networks here take ${SIDE}×${SIDE}.`);
}

function checkLabels(name: string, labels: Uint8Array): void {
  const place = labels.findIndex((label) => label >= CLASSES);
  if (place < 0) return;
  throw new DataError(`Label ${place + 1} in ${name} is ${labels[place]}, but the networks here have ${CLASSES} classes: 0 to ${CLASSES - 1}.`);
}

/** Training and test: by their names, else the larger one is for training. */
function split(files: OwnFile[], kind: OwnFile['kind']): [OwnFile, OwnFile] {
  const found = files.filter((file) => file.kind === kind);
  const [one, other] = found;
  if (one === undefined || other === undefined || found.length > 2) {
    throw new DataError(`Two of the four files should hold ${kind}, one for training and one for the test, but there ${found.length === 1 ? 'is 1' : `are ${found.length}`}.`);
  }
  const [oneTests, otherTests] = [isForTest(one.name), isForTest(other.name)];
  if (oneTests !== otherTests) return oneTests ? [other, one] : [one, other];
  if (one.count !== other.count) return one.count > other.count ? [one, other] : [other, one];
  throw new DataError(`${one.name} and ${other.name} have ambiguous names: put “train” into one name and “test” into the other.`);
}

function isForTest(name: string): boolean {
  return /t10k|test|valid/i.test(name) && !/train/i.test(name);
}

function checkPair(images: OwnFile, labels: OwnFile): void {
  if (images.count === labels.count) return;
  throw new DataError(`${images.name} holds ${images.count} images, but ${labels.name} holds ${labels.count} labels.`);
}
