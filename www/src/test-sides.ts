/**
 * Every batch-size test on the page, a row each: the two sides of its inequality, taken from the telemetry, its picture as
 * lengths, and what their parts are called. The core decides; this only names the numbers that it compared. In charts noise
 * is a length everywhere, and the inequalities are about squares of it.
 */
import type { BatchTest } from '../pkg/adadagrad_web.js';
import type { Extent, Sides } from './figure/geometry.js';
import type { StepRecord } from './protocol.js';

type Name = BatchTest['name'];
type Test<Of extends Name> = Extract<BatchTest, { name: Of }>;

export interface TestSides {
  measured: number | null;
  allowed: number | null;
}

export interface SidesLabels {
  measured: string;
  allowed: string;
  /** What is compared, in one sentence; how it is drawn is the chart's to say. */
  caption: string;
}

/** What the parts of the picture are called. */
export interface PictureNames {
  arrow: string;
  noise: string;
  allowed: string | null;
  /** What the drawing shows, in one sentence. */
  explanation: string;
}

interface Shown<Of extends Name> {
  sides: (test: Test<Of>, record: StepRecord) => TestSides;
  labels: (test: Test<Of>) => SidesLabels;
  /** Null where nothing was measured that could be drawn. */
  picture: (test: Test<Of>, step: StepRecord) => Sides | null;
  names: PictureNames;
}

const NOTHING: TestSides = { measured: null, allowed: null };

const SIZES: SidesLabels = {
  measured: 'samples required',
  allowed: 'samples used',
  caption: 'The batch size that would pass the test, compared with the size used.',
};

const DISCS =
  'The discs around the tip of the arrow are the noise of the mean gradient and the noise that the test allows. They represent balls in the space of all parameters.';

const TESTS: { readonly [Of in Name]: Shown<Of> } = {
  norm: {
    sides: ({ eta, debiased }, record) => ({
      measured: perSample(record.variance, record),
      allowed: eta ** 2 * (debiased ? debiasedSquare(record) : record.mean_norm_sq),
    }),
    labels: () => ({
      measured: 'noise², v ∕ b',
      allowed: 'allowed, η²‖ḡ‖²',
      caption: 'The square of the noise in the mean gradient, compared with what the norm test allows.',
    }),
    picture: ({ eta, debiased }, step) => discs(norm(step), perMean(step.variance, step), eta * (debiased ? debiasedNorm(step) : norm(step))),
    names: { arrow: 'mean gradient ḡ', noise: 'noise, √(v ∕ b)', allowed: 'allowed, η‖ḡ‖', explanation: DISCS },
  },
  inner_product: {
    // Leaving each sample out of its own mean changes both sides, and telemetry carries only the result.
    sides: ({ theta, leave_one_out: leavesOut }, record) =>
      leavesOut ? sizes(record) : { measured: perSample(record.variance_along, record), allowed: theta ** 2 * record.mean_norm_sq ** 2 },
    labels: ({ leave_one_out: leavesOut }) =>
      leavesOut
        ? SIZES
        : {
            measured: 'variance along ḡ',
            allowed: 'allowed, ϑ²‖ḡ‖⁴',
            caption: 'The variance of the gradients along their mean, compared with what the test allows.',
          },
    picture: ({ theta, leave_one_out: leavesOut }, step) => bars(leavesOut ? leaveOneOut(theta, step) : along(theta, step), null),
    names: {
      arrow: 'mean gradient ḡ',
      noise: 'noise along ḡ',
      allowed: 'allowed, ϑ‖ḡ‖',
      explanation: 'This test only limits the noise along the arrow, drawn as bars along it. Noise orthogonal to it does not count, and the thickness of the bars has no meaning.',
    },
  },
  orthogonality: {
    sides: ({ nu }, record) => ({ measured: perSample(record.variance_orthogonal, record), allowed: nu ** 2 * record.mean_norm_sq }),
    labels: () => ({
      measured: 'variance orthogonal to ḡ',
      allowed: 'allowed, ν²‖ḡ‖²',
      caption: 'The variance of the gradients orthogonal to their mean, compared with what the test allows.',
    }),
    picture: ({ nu }, step) => bars(null, across(nu, step)),
    names: {
      arrow: 'mean gradient ḡ',
      noise: 'noise orthogonal to ḡ',
      allowed: 'allowed, ν‖ḡ‖',
      explanation: 'This test only limits the noise orthogonal to the arrow. The length of the bars stands for all directions at right angles to it.',
    },
  },
  augmented: {
    sides: (_, record) => sizes(record),
    labels: () => SIZES,
    picture: ({ theta, nu, leave_one_out: leavesOut }, step) => bars(leavesOut ? leaveOneOut(theta, step) : along(theta, step), across(nu, step)),
    names: {
      arrow: 'mean gradient ḡ',
      noise: 'noise along and orthogonal to ḡ',
      allowed: 'allowed, ϑ‖ḡ‖ and ν‖ḡ‖',
      explanation: 'Two tests at once: bars along the arrow, and bars across it for all directions at right angles. Both must pass.',
    },
  },
  coordinate_norm: {
    sides: ({ eta }, record) => ({ measured: perSample(record.coordinate_ratio, record), allowed: eta ** 2 }),
    labels: () => ({
      measured: 'noise² per coordinate',
      allowed: 'allowed, η²',
      caption: 'The square of the noise in the coordinate at the chosen quantile, relative to its mean, compared with what the test allows.',
    }),
    // One coordinate alone: the one whose noise, relative to its mean, is at the chosen quantile. Its mean has length 1.
    picture: ({ eta }, step) => bars({ arrow: 1, noise: perMean(step.coordinate_ratio, step), allowed: eta }, null),
    names: {
      arrow: 'one coordinate’s mean',
      noise: 'its noise, relative to it',
      allowed: 'allowed, η',
      explanation:
        'This test looks at every coordinate separately. The drawing shows the coordinate that decides (the chosen quantile); the arrow is its mean, scaled to length 1.',
    },
  },
  worker_norm: {
    sides: ({ eta }, record) => ({ measured: perSample(record.worker_variance, record), allowed: eta ** 2 * record.mean_norm_sq }),
    labels: () => ({
      measured: 'noise² between parts',
      allowed: 'allowed, η²‖ḡ‖²',
      caption: 'The square of the noise, estimated from the means of parts of the batch, compared with what the test allows.',
    }),
    picture: ({ eta }, step) => discs(norm(step), perMean(step.worker_variance, step), eta * norm(step)),
    names: {
      arrow: 'mean gradient ḡ',
      noise: 'noise, from the parts’ means',
      allowed: 'allowed, η‖ḡ‖',
      explanation: `${DISCS} The noise is estimated from the mean gradients of parts of the batch.`,
    },
  },
};

/** The table has for each name the row for the test of that name. */
function shownOf<Of extends Name>(test: Test<Of>): Shown<Of> {
  return TESTS[test.name as Of];
}

export function testSides(test: BatchTest | null, record: StepRecord): TestSides {
  return test === null ? NOTHING : shownOf(test).sides(test, record);
}

export function sidesLabels(test: BatchTest | null): SidesLabels {
  if (test === null) return { measured: 'measured', allowed: 'allowed', caption: 'There is no test, so nothing is compared.' };
  return shownOf(test).labels(test);
}

/** The test as lengths. Without one the noise is drawn where it was measured all the same. */
export function sidesOfPicture(test: BatchTest | null, step: StepRecord): Sides | null {
  if (test !== null) return shownOf(test).picture(test, step);
  const noise = perMean(step.variance, step);
  const nothing: Extent = { along: null, across: null };
  return noise === null ? null : { shape: 'disc', arrow: norm(step), noise: { along: noise, across: noise }, allowed: nothing };
}

export function pictureNames(test: BatchTest | null): PictureNames {
  if (test !== null) return shownOf(test).names;
  return { arrow: 'mean gradient ḡ', noise: 'noise, √(v ∕ b)', allowed: null, explanation: 'There is no test, so nothing limits the noise.' };
}

function perSample(variance: number | null, record: StepRecord): number | null {
  return variance === null ? null : variance / record.samples;
}

function debiasedSquare(record: StepRecord): number {
  return record.variance === null ? record.mean_norm_sq : record.mean_norm_sq - record.variance / record.samples;
}

/** Two inequalities at once have no single pair of sides; the sizes say the same: required against used. */
function sizes(record: StepRecord): TestSides {
  return { measured: record.required, allowed: record.samples };
}

function norm(step: StepRecord): number {
  return Math.sqrt(step.mean_norm_sq);
}

/** The length of the mean gradient without what its own noise adds to it; 0 where the noise explains all of it. */
function debiasedNorm(step: StepRecord): number {
  return Math.sqrt(Math.max(0, debiasedSquare(step)));
}

/** The standard deviation of a mean over this step's batch. */
function perMean(variance: number | null, step: StepRecord): number | null {
  return variance === null ? null : Math.sqrt(variance / step.samples);
}

/** One direction of a test: the arrow it is measured against, its noise and what it allows. */
interface Side {
  arrow: number;
  noise: number | null;
  allowed: number;
}

function discs(arrow: number, noise: number | null, allowed: number): Sides | null {
  if (noise === null) return null;
  return { shape: 'disc', arrow, noise: { along: noise, across: noise }, allowed: { along: allowed, across: allowed } };
}

function bars(along: Side | null, across: Side | null): Sides | null {
  const arrow = along?.arrow ?? across?.arrow;
  if (arrow === undefined || ((along?.noise ?? null) === null && (across?.noise ?? null) === null)) return null;
  return {
    shape: 'bars',
    arrow,
    noise: { along: along?.noise ?? null, across: across?.noise ?? null },
    allowed: { along: along?.allowed ?? null, across: across?.allowed ?? null },
  };
}

/** Inner products with the mean gradient have the unit of its square: its length brings them back to lengths. */
function along(theta: number, step: StepRecord): Side {
  const norm = Math.sqrt(step.mean_norm_sq);
  const spread = perMean(step.variance_along, step);
  return { arrow: norm, noise: spread === null || norm === 0 ? null : spread / norm, allowed: theta * norm };
}

function across(nu: number, step: StepRecord): Side {
  const norm = Math.sqrt(step.mean_norm_sq);
  return { arrow: norm, noise: perMean(step.variance_orthogonal, step), allowed: nu * norm };
}

/**
 * With each sample left out of its own mean, telemetry tells only the size that would pass: as many times as it is
 * the size used, the noise is the square root of that above what is allowed. The arrow is the debiased mean's.
 */
function leaveOneOut(theta: number, step: StepRecord): Side {
  const arrow = debiasedNorm(step);
  const allowed = theta * arrow;
  // In the augmented test the larger of two sizes is told; it is this direction's unless the other one asks for as much.
  const noise = step.required === null ? null : allowed * Math.sqrt(step.required / step.samples);
  return { arrow, noise, allowed };
}
