/**
 * The two sides of each test's inequality, taken from the telemetry: the noise measured and the noise allowed.
 * The core decides; this only names the two numbers that it compared.
 */
import type { BatchTest } from '../pkg/adadagrad_web.js';
import type { StepRecord } from './protocol.js';

export interface TestSides {
  noise: number | null;
  allowed: number | null;
}

export interface SidesLabels {
  noise: string;
  allowed: string;
  /** One sentence under the chart. */
  caption: string;
}

const NOTHING: TestSides = { noise: null, allowed: null };

export function testSides(test: BatchTest | null, record: StepRecord): TestSides {
  if (test === null) return NOTHING;
  switch (test.name) {
    case 'norm':
      return {
        noise: perSample(record.variance, record),
        allowed: test.eta ** 2 * (test.debiased ? debiasedNorm(record) : record.mean_norm_sq),
      };
    case 'inner_product':
      // Leaving each sample out of its own mean changes both sides, and telemetry carries only the result.
      if (test.leave_one_out) return sizes(record);
      return {
        noise: perSample(record.variance_along, record),
        allowed: test.theta ** 2 * record.mean_norm_sq ** 2,
      };
    case 'orthogonality':
      return {
        noise: perSample(record.variance_orthogonal, record),
        allowed: test.nu ** 2 * record.mean_norm_sq,
      };
    case 'augmented':
      return sizes(record);
    case 'coordinate_norm':
      return { noise: perSample(record.coordinate_ratio, record), allowed: test.eta ** 2 };
    case 'worker_norm':
      return {
        noise: perSample(record.worker_variance, record),
        allowed: test.eta ** 2 * record.mean_norm_sq,
      };
  }
}

function perSample(variance: number | null, record: StepRecord): number | null {
  return variance === null ? null : variance / record.samples;
}

function debiasedNorm(record: StepRecord): number {
  return record.variance === null ? record.mean_norm_sq : record.mean_norm_sq - record.variance / record.samples;
}

/** Two inequalities at once have no single pair of sides; the sizes say the same: required against used. */
function sizes(record: StepRecord): TestSides {
  return { noise: record.required, allowed: record.samples };
}

const RULE = 'Where the solid line lies above the dashed one, the batch is too small and grows.';

export function sidesLabels(test: BatchTest | null): SidesLabels {
  if (test === null) {
    return { noise: 'noise', allowed: 'allowed', caption: 'No test is on: the batch stays as it is.' };
  }
  switch (test.name) {
    case 'norm':
      return {
        noise: 'noise, v ∕ b',
        allowed: 'allowed, η²‖ḡ‖²',
        caption: `The noise in the mean gradient against what the norm test allows. ${RULE}`,
      };
    case 'inner_product':
      return test.leave_one_out
        ? sizeLabels()
        : {
            noise: 'spread along ḡ',
            allowed: 'allowed, ϑ²‖ḡ‖⁴',
            caption: `How much the samples disagree along the step’s direction, against what is allowed. ${RULE}`,
          };
    case 'orthogonality':
      return {
        noise: 'spread across ḡ',
        allowed: 'allowed, ν²‖ḡ‖²',
        caption: `How much the samples pull sideways, against what is allowed. ${RULE}`,
      };
    case 'augmented':
      return sizeLabels();
    case 'coordinate_norm':
      return {
        noise: 'noise per coordinate',
        allowed: 'allowed, η²',
        caption: `The noise of the chosen quantile of coordinates, relative to their mean. ${RULE}`,
      };
    case 'worker_norm':
      return {
        noise: 'noise between parts',
        allowed: 'allowed, η²‖ḡ‖²',
        caption: `The noise, estimated from the means of parts of the batch, against what is allowed. ${RULE}`,
      };
  }
}

function sizeLabels(): SidesLabels {
  return {
    noise: 'samples required',
    allowed: 'samples used',
    caption: `The size that would pass the test against the size used. ${RULE}`,
  };
}
