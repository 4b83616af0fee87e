// Small data sets that a test makes: as CIFAR's own binary files, and as IDX files of any shape.
const SIDE = 32;

/** What CIFAR-10's classes are called. */
export const CIFAR_10 = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

const file = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer });

/** The colour of most of a class's pixels. */
export function colourOfClass(label) {
  return [(label * 67 + 40) % 256, (label * 131 + 90) % 256, (label * 29 + 200) % 256];
}

/** The image `index` of a class, as planes: one colour, with a dark square whose place differs from image to image. */
function image(label, index, { channels, height, width }) {
  const bytes = Buffer.alloc(channels * height * width);
  const [top, left] = [index % 3, (index * 5) % 7];
  for (let channel = 0; channel < channels; channel += 1) {
    const plane = bytes.subarray(channel * height * width, (channel + 1) * height * width);
    plane.fill(colourOfClass(label)[channel % 3]);
    for (let row = top; row < Math.min(height, top + 3); row += 1) {
      for (let column = left; column < Math.min(width, left + 3); column += 1) plane[row * width + column] = 10;
    }
  }
  return bytes;
}

/** Records as CIFAR has them; `labelsOf`: the bytes before an image. */
function records(first, count, classes, labelsOf) {
  const all = [];
  for (let index = first; index < first + count; index += 1) {
    const label = index % classes;
    all.push(Buffer.from(labelsOf(label)), image(label, index, { channels: 3, height: SIDE, width: SIDE }));
  }
  return Buffer.concat(all);
}

/** CIFAR-10: five files to train on, one for the test, and the names of the classes. */
export function cifar10({ training, test }) {
  const each = training / 5;
  const batches = [1, 2, 3, 4, 5].map((batch) => file(`data_batch_${batch}.bin`, records((batch - 1) * each, each, 10, (label) => [label])));
  return [...batches, file('test_batch.bin', records(training, test, 10, (label) => [label])), file('batches.meta.txt', Buffer.from(`${CIFAR_10.join('\n')}\n\n`))];
}

/** CIFAR-100: its fine labels count. */
export function cifar100({ training, test }) {
  const part = (name, first, count) => file(name, records(first, count, 100, (label) => [Math.floor(label / 5), label]));
  return [part('train.bin', 0, training), part('test.bin', training, test)];
}

/** IDX files of images of a shape, whose labels begin at `first`. */
export function idxFiles({ training, test, classes, first = 0, shape }) {
  const { channels, height, width } = shape;
  const header = (...dimensions) => Buffer.concat([Buffer.from([0, 0, 8, dimensions.length]), ...dimensions.map((size) => Buffer.from(Uint32Array.of(size).buffer).swap32())]);
  const part = (prefix, begin, count) => {
    const all = Array.from({ length: count }, (_, place) => begin + place);
    const sizes = channels === 1 ? [count, height, width] : [count, channels, height, width];
    return [
      file(`${prefix}-images-idx${sizes.length}-ubyte`, Buffer.concat([header(...sizes), ...all.map((index) => image(index % classes, index, shape))])),
      file(`${prefix}-labels-idx1-ubyte`, Buffer.concat([header(count), Buffer.from(all.map((index) => first + (index % classes)))])),
    ];
  };
  return [...part('train', 0, training), ...part('t10k', training, test)];
}
