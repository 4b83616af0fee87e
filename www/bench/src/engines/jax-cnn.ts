/**
 * The paper's convolutional network in jax-js. Its own convolution computes an index for every multiplication;
 * here patches are gathered by index tables first, so that all arithmetic is in plain matrix products, which its
 * compiler makes fast. Values are laid out [channels, samples × positions].
 */
import { blockUntilReady, jit, nn, numpy as np } from '@jax-js/jax';
import { CLASSES, PIXELS, oneHot, scaled } from '../engine.js';
import type { Batch, Problem } from '../engine.js';
import type { AdagradNumbers } from './adagrad.js';
import { array, updated } from './jax-parts.js';
import type { Step } from './jax-parts.js';

/** Images that go through the network together: more do not fit the processor's caches. */
const LARGEST_CHUNK = 64;
/** Work is put off until a result is asked for, and what waits keeps its memory: so many chunks may wait. */
const CHUNKS_IN_FLIGHT = 4;
const KERNEL = 5;
const TAPS = KERNEL * KERNEL;
/** Columns of zeros behind the samples' own, for what lies outside an image; four keep rows aligned. */
const ZEROS = 4;
const FEATURES = 1568;

export function convolutionalStep(problem: Problem, numbers: AdagradNumbers): Step {
  const chunk = largestDivisor(problem.batch, LARGEST_CHUNK);
  const batches = problem.batches.map((batch) => chunksOf(batch, chunk));
  const gradientOf = chunkGradient(chunk, 1 / problem.batch);
  const add = jit((sums: np.Array[], terms: np.Array[]) => sums.map((sum, index) => sum.add(terms[index] as np.Array)));
  const update = jit((parameters: np.Array[], memory: np.Array[], gradients: np.Array[]) =>
    updated(parameters, memory, gradients, numbers),
  );
  return async (state, batch) => {
    let sums: np.Array[] | null = null;
    for (const [index, { images, targets }] of (batches[batch] ?? []).entries()) {
      if (sums !== null && index % CHUNKS_IN_FLIGHT === 0) await blockUntilReady(sums);
      const terms = gradientOf(state.parameters, images.ref, targets.ref);
      sums = sums === null ? terms : add(sums, terms);
    }
    if (sums === null) throw new Error('there are no images');
    const [loss, ...gradients] = sums as [np.Array, ...np.Array[]];
    const [parameters, memory] = update(state.parameters, state.memory, gradients) as [np.Array[], np.Array[]];
    Object.assign(state, { parameters, memory });
    return loss;
  };
}

function largestDivisor(value: number, limit: number): number {
  for (let divisor = Math.min(value, limit); divisor > 1; divisor -= 1) if (value % divisor === 0) return divisor;
  return 1;
}

function chunksOf({ pixels, labels }: Batch, chunk: number): { images: np.Array; targets: np.Array }[] {
  const starts = Array.from({ length: labels.length / chunk }, (_, index) => index * chunk);
  return starts.map((start) => {
    const images = new Float32Array(chunk * PIXELS + ZEROS);
    images.set(scaled(pixels.subarray(start * PIXELS, (start + chunk) * PIXELS)));
    const targets = oneHot(labels.subarray(start, start + chunk));
    return { images: array(images, [images.length]), targets: array(targets, [chunk, CLASSES]) };
  });
}

/**
 * For each tap and position, the column that the tap reads, or a column of zeros. `direction` −1 gives the table
 * for the way back: which position's tap wrote to a column.
 */
function tapTable(side: number, samples: number, direction: 1 | -1, columns: number, stride: number): np.Array {
  const positions = side * side;
  const outside = samples * positions;
  const table = new Int32Array(TAPS * columns);
  for (let tap = 0; tap < TAPS; tap += 1) {
    const down = direction * (Math.floor(tap / KERNEL) - 2);
    const right = direction * ((tap % KERNEL) - 2);
    for (let column = 0; column < columns; column += 1) {
      const [y, x] = [Math.floor((column % positions) / side) + down, (column % side) + right];
      const inside = column < outside && y >= 0 && y < side && x >= 0 && x < side;
      table[tap * columns + column] = tap * stride + (inside ? column + down * side + right : outside);
    }
  }
  return array(table, [TAPS, columns]);
}

/** Loss and gradients of one chunk, each weighted by `scale`. Keeps the parameters, takes images and targets. */
function chunkGradient(
  chunk: number,
  scale: number,
): (parameters: np.Array[], images: np.Array, targets: np.Array) => np.Array[] {
  const columns2 = chunk * 196 + ZEROS;
  const taps1 = tapTable(28, chunk, 1, chunk * 784, 0);
  const taps2 = tapTable(14, chunk, 1, columns2, 0);
  const tapsBack = tapTable(14, chunk, -1, chunk * 196, columns2);
  const corners = array(new Float32Array([0, 1, 2, 3]), [1, 1, 2, 1, 2]);

  const patches1 = jit((images: np.Array, taps: np.Array) => images.slice(taps));
  const patches2 = jit((values: np.Array, taps: np.Array) => values.slice([], taps).reshape([16 * TAPS, columns2]));
  const product = jit((weights: np.Array, patches: np.Array) => np.matmul(weights, patches));
  const pool1 = jit((values: np.Array, bias: np.Array) => pooled(values, bias, 14, ZEROS));
  const pool2 = jit((values: np.Array, bias: np.Array) => pooled(values.slice([], [0, chunk * 196]), bias, 7, 0));
  const featuresOf = jit((values: np.Array) =>
    values.reshape([32, chunk, 49]).transpose([1, 0, 2]).reshape([chunk, FEATURES]),
  );
  const outputsOf = jit((features: np.Array, weights: np.Array, bias: np.Array) =>
    np.matmul(features, weights.transpose()).add(bias),
  );
  const lossOf = jit((outputs: np.Array, targets: np.Array) => {
    const logarithms = nn.logSoftmax(outputs, -1);
    const loss = logarithms.ref.mul(targets.ref).sum().mul(-scale);
    return [loss, np.exp(logarithms).sub(targets).mul(scale)];
  });
  const denseGradients = jit((gradient: np.Array, features: np.Array) => [
    np.matmul(gradient.ref.transpose(), features),
    gradient.sum(0),
  ]);
  const intoFeatures = jit((gradient: np.Array, weights: np.Array) =>
    np.matmul(gradient, weights).reshape([chunk, 32, 49]).transpose([1, 0, 2]).reshape([32, chunk * 49]),
  );
  const unpool2 = jit((gradient: np.Array, winners: np.Array, corner: np.Array) =>
    np.pad(unpooled(gradient, winners, corner, 7), [
      [0, 0],
      [0, ZEROS],
    ]),
  );
  const unpool1 = jit((gradient: np.Array, winners: np.Array, corner: np.Array) =>
    unpooled(gradient, winners, corner, 14),
  );
  const convolutionGradients = jit((gradient: np.Array, patches: np.Array) => [
    np.matmul(gradient.ref, patches.transpose()),
    gradient.sum(1),
  ]);
  const intoPatches = jit((weights: np.Array, gradient: np.Array) => np.matmul(weights.transpose(), gradient));
  const gathered = jit((intoTaps: np.Array, taps: np.Array) =>
    intoTaps.reshape([16, TAPS * columns2]).slice([], taps).sum(1),
  );

  return (parameters, images, targets) => {
    const [weights1, bias1, weights2, bias2, weights3, bias3] = parameters.map((values) => values.ref) as [
      np.Array,
      np.Array,
      np.Array,
      np.Array,
      np.Array,
      np.Array,
    ];
    const kernel2 = weights2.reshape([32, 16 * TAPS]);
    const seen1 = patches1(images, taps1.ref);
    const [active1, winners1] = pool1(product(weights1.reshape([16, TAPS]), seen1.ref), bias1) as Pair;
    const seen2 = patches2(active1, taps2.ref);
    const [active2, winners2] = pool2(product(kernel2.ref, seen2.ref), bias2) as Pair;
    const features = featuresOf(active2);
    const [loss, gradient] = lossOf(outputsOf(features.ref, weights3.ref, bias3), targets) as Pair;
    const [dense, denseBias] = denseGradients(gradient.ref, features) as Pair;
    const into2 = unpool2(intoFeatures(gradient, weights3), winners2, corners.ref);
    const [kernels2, biases2] = convolutionGradients(into2.ref, seen2) as Pair;
    const into1 = unpool1(gathered(intoPatches(kernel2, into2), tapsBack.ref), winners1, corners.ref);
    const [kernels1, biases1] = convolutionGradients(into1, seen1) as Pair;
    return [
      loss,
      kernels1.reshape([16, 1, KERNEL, KERNEL]),
      biases1,
      kernels2.reshape([32, 16, KERNEL, KERNEL]),
      biases2,
      dense,
      denseBias,
    ];
  };
}

type Pair = [np.Array, np.Array];

/**
 * Max-pooling, bias and ReLU (the bias is the same for a whole window, so it can come last); and the corner that
 * won in each window, the first one on a tie, or −1 where the ReLU is closed.
 */
function pooled(values: np.Array, bias: np.Array, half: number, zeros: number): [np.Array, np.Array] {
  const [channels] = values.shape as [number];
  const windows = values.reshape([channels, -1, 2, half, 2]);
  const corner = (row: number, column: number): np.Array => windows.ref.slice([], [], row, [], column);
  const [first, second, third, fourth] = [corner(0, 0), corner(0, 1), corner(1, 0), corner(1, 1)];
  windows.dispose();
  const largest = np.maximum(np.maximum(first.ref, second.ref), np.maximum(third.ref, fourth));
  const winner = np.where(
    first.equal(largest.ref),
    0,
    np.where(second.equal(largest.ref), 1, np.where(third.equal(largest.ref), 2, 3)),
  );
  const shifted = largest.reshape([channels, -1]).add(bias.reshape([channels, 1]));
  const winners = np.where(shifted.ref.greater(0), winner.astype(np.float32).reshape([channels, -1]), -1);
  const active = np.maximum(shifted, 0);
  if (zeros === 0) return [active, winners];
  return [
    np.pad(active, [
      [0, 0],
      [0, zeros],
    ]),
    winners,
  ];
}

/** Back through ReLU and max-pooling: the gradient goes to the corner that won. */
function unpooled(gradient: np.Array, winners: np.Array, corners: np.Array, half: number): np.Array {
  const [channels] = gradient.shape as [number];
  const shape = [channels, -1, 1, half, 1];
  return np.where(winners.reshape(shape).equal(corners), gradient.reshape(shape), 0).reshape([channels, -1]);
}
