/** What a file is, by its first bytes and then by its name: nothing is opened that is not what it should be. */

export type FileKind =
  | { kind: 'data' | 'text' | 'model' | 'run' }
  /** `what`: in words, to follow “is”. */
  | { kind: 'other'; what: string };

const HEAD_BYTES = 512;
const LARGEST_MODEL_HEADER_BYTES = 100_000_000;
const OPENING_BRACE = 0x7b;

/** First bytes, as Latin-1 text, of kinds of files that people have at hand. */
const SIGNATURES: readonly (readonly [RegExp, string])[] = [
  [/^\x89PNG/, 'a PNG image'],
  [/^\xff\xd8\xff/, 'a JPEG image'],
  [/^GIF8/, 'a GIF image'],
  [/^RIFF....WEBP/s, 'a WebP image'],
  [/^....ftyp/s, 'an image or a video'],
  [/^%PDF/, 'a PDF document'],
  [/^\x89HDF/, 'an HDF5 file'],
  [/^\x93NUMPY/, 'a NumPy file'],
];

/** Of CIFAR-10 and CIFAR-100; their first bytes say nothing. */
const CIFAR_FILES = /^(data_batch_[1-5]\.bin|test_batch\.bin|(train|test)\.bin|batches\.meta\.txt|(fine|coarse)_label_names\.txt)$/;

/** Tab, line feed, form feed, carriage return. */
const TEXT_CONTROLS: ReadonlySet<number> = new Set([9, 10, 12, 13]);

const UNKNOWN = 'not of a known file type';

export async function sniff(file: File): Promise<FileKind> {
  let head: Uint8Array;
  try {
    head = await firstBytes(file);
  } catch {
    return other('not readable: it is a folder, or was moved, deleted or locked');
  }
  if (file.size === 0) return other('empty');
  if (CIFAR_FILES.test(file.name)) return { kind: 'data' };
  if (isModel(head)) return { kind: 'model' };
  if (isIdx(head) || /(images|labels).*ubyte|idx[123]/i.test(file.name)) return { kind: 'data' };
  if (isGzip(head)) return sniffPacked(file);
  if (/\.safetensors$/i.test(file.name)) return { kind: 'model' };
  const text = latin1(head);
  if (/^(\xef\xbb\xbf)?\s*\{/.test(text)) return { kind: 'run' };
  const what = describe(file.name, text);
  if (what !== UNKNOWN) return other(what);
  if (/\.json$/i.test(file.name)) return { kind: 'run' };
  return isText(head) ? { kind: 'text' } : other(what);
}

async function firstBytes(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
}

function other(what: string): FileKind {
  return { kind: 'other', what };
}

/** A safetensors file: the length of its header in eight bytes, and the header in JSON. */
function isModel(head: Uint8Array): boolean {
  if (head.length < 9 || head[8] !== OPENING_BRACE) return false;
  const length = new DataView(head.buffer, head.byteOffset).getBigUint64(0, true);
  return length >= 2n && length <= BigInt(LARGEST_MODEL_HEADER_BYTES);
}

/** Two zero bytes, the type of the numbers, and the number of dimensions. */
function isIdx([first, second, type, dimensions]: Uint8Array): boolean {
  return first === 0 && second === 0 && type !== undefined && type >= 8 && type <= 14 && dimensions !== undefined && dimensions >= 1 && dimensions <= 4;
}

function isGzip([first, second]: Uint8Array): boolean {
  return first === 0x1f && second === 0x8b;
}

/** No control characters but those of texts; or the mark of UTF-16, which is then said to be the wrong encoding. Which bytes are UTF-8, the module tells. */
function isText(head: Uint8Array): boolean {
  const [first, second] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  return head.length > 0 && head.every((byte) => (byte >= 0x20 && byte !== 0x7f) || TEXT_CONTROLS.has(byte));
}

async function sniffPacked(file: File): Promise<FileKind> {
  const reader = file.slice(0, 2 * HEAD_BYTES).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  try {
    const { value } = await reader.read();
    if (value !== undefined && isIdx(value)) return { kind: 'data' };
    if (value !== undefined && !/\.(tar|csv|tsv)\.gz$|\.tgz$/i.test(file.name) && isText(value.subarray(0, HEAD_BYTES))) return { kind: 'text' };
  } catch {
    // The bytes cannot be unpacked.
  } finally {
    reader.cancel().catch(() => undefined);
  }
  if (/\.(tar\.gz|tgz)$/i.test(file.name)) return other('an archive: unpack it first, and drop the files in it');
  return other('a gzip file without IDX data or text');
}

function describe(name: string, text: string): string {
  const found = SIGNATURES.find(([signature]) => signature.test(text));
  if (found !== undefined) return found[1];
  if (/^PK\x03\x04/.test(text)) return /\.(pt|pth|bin|ckpt)$/i.test(name) ? 'a PyTorch file: save the state_dict as safetensors' : 'a ZIP archive: unpack it first';
  if (/^\x80[\x02-\x05]/.test(text) || /\.(pt|pth|pkl)$/i.test(name)) return 'a pickle file: save the state_dict as safetensors';
  if (/\.(csv|tsv)$/i.test(name)) return 'a table. Only a run saved as JSON can be opened again';
  return UNKNOWN;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
