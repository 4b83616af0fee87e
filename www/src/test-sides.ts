/**
 * The two sides of each test's inequality, taken from the telemetry: what was measured and what is allowed.
 * The core decides; this only names the two numbers that it compared. Noise is a length everywhere on the page, and
 * the inequalities are about squares of it.
 */
import type { BatchTest } from '../pkg/adadagrad_web.js';
import type { StepRecord } from './protocol.js';

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

const NOTHING: TestSides = { measured: null, allowed: null };

export function testSides(test: BatchTest | null, record: StepRecord): TestSides {
  if (test === null) return NOTHING;
  switch (test.name) {
    case 'norm':
      return {
        measured: perSample(record.variance, record),
        allowed: test.eta ** 2 * (test.debiased ? debiasedNorm(record) : record.mean_norm_sq),
      };
    case 'inner_product':
      // Leaving each sample out of its own mean changes both sides, and telemetry carries only the result.
      if (test.leave_one_out) return sizes(record);
      return {
        measured: perSample(record.variance_along, record),
        allowed: test.theta ** 2 * record.mean_norm_sq ** 2,
      };
    case 'orthogonality':
      return {
        measured: perSample(record.variance_orthogonal, record),
        allowed: test.nu ** 2 * record.mean_norm_sq,
      };
    case 'augmented':
      return sizes(record);
    case 'coordinate_norm':
      return { measured: perSample(record.coordinate_ratio, record), allowed: test.eta ** 2 };
    case 'worker_norm':
      return {
        measured: perSample(record.worker_variance, record),
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
  return { measured: record.required, allowed: record.samples };
}

export function sidesLabels(test: BatchTest | null): SidesLabels {
  if (test === null) {
    return { measured: 'measured', allowed: 'allowed', caption: 'There is no test, so nothing is compared.' };
  }
  switch (test.name) {
    case 'norm':
      return {
        measured: 'noise², v ∕ b',
        allowed: 'allowed, η²‖ḡ‖²',
        caption: 'The square of the noise in the mean gradient, compared with what the norm test allows.',
      };
    case 'inner_product':
      return test.leave_one_out
        ? sizeLabels()
        : {
            measured: 'variance along ḡ',
            allowed: 'allowed, ϑ²‖ḡ‖⁴',
            caption: 'The variance of the gradients along their mean, compared with what the test allows.',
          };
    case 'orthogonality':
      return {
        measured: 'variance orthogonal to ḡ',
        allowed: 'allowed, ν²‖ḡ‖²',
        caption: 'The variance of the gradients orthogonal to their mean, compared with what the test allows.',
      };
    case 'augmented':
      return sizeLabels();
    case 'coordinate_norm':
      return {
        measured: 'noise² per coordinate',
        allowed: 'allowed, η²',
        caption: 'The square of the noise of the chosen quantile of coordinates, relative to their mean, against what is allowed.',
      };
    case 'worker_norm':
      return {
        measured: 'noise² between parts',
        allowed: 'allowed, η²‖ḡ‖²',
        caption: 'The square of the noise, estimated from the means of parts of the batch, compared with what the test allows.',
      };
  }
}

function sizeLabels(): SidesLabels {
  return {
    measured: 'samples required',
    allowed: 'samples used',
    caption: 'The batch size that would pass the test, compared with the size used.',
  };
}
