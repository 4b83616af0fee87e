/**
 * The test as lengths: the mean gradient's arrow, and around its tip how far the noise reaches and how far it
 * may. Every length has the gradient's own unit, so one scale holds for all of them.
 */
import type { BatchTest } from '../../pkg/adadagrad_web.js';
import type { StepRecord } from '../protocol.js';

/** Half a width around the tip, along the arrow and across it; null where the test asks nothing or knows nothing. */
export interface Extent {
  along: number | null;
  across: number | null;
}

export interface Picture {
  /** A disc where noise in every direction counts alike, bars where the test tells directions apart. */
  shape: 'disc' | 'bars';
  /** The arrow's length. */
  arrow: number;
  /** The standard deviation of the mean over this batch. */
  noise: Extent;
  allowed: Extent;
  /** The noise to expect of the next batch: it falls as one over the root of the size. Null where the size stays. */
  next: Extent | null;
}

const NOTHING: Extent = { along: null, across: null };

/** Null where nothing was measured that could be drawn. */
export function pictureOf(test: BatchTest | null, step: StepRecord): Picture | null {
  const sides = test === null ? withoutTest(step) : sidesOf(test, step);
  if (sides === null) return null;
  const grows = step.next_batch !== step.samples;
  return { ...sides, next: grows ? scaled(sides.noise, Math.sqrt(step.samples / step.next_batch)) : null };
}

type Sides = Omit<Picture, 'next'>;

function sidesOf(test: BatchTest, step: StepRecord): Sides | null {
  const norm = Math.sqrt(step.mean_norm_sq);
  switch (test.name) {
    case 'norm':
      return discs(norm, perMean(step.variance, step), test.eta * (test.debiased ? debiasedNorm(step) : norm));
    case 'worker_norm':
      return discs(norm, perMean(step.worker_variance, step), test.eta * norm);
    case 'inner_product':
      return bars(test.leave_one_out ? leaveOneOut(test.theta, step) : along(test.theta, step), null);
    case 'orthogonality':
      return bars(null, across(test.nu, step));
    case 'augmented':
      return bars(test.leave_one_out ? leaveOneOut(test.theta, step) : along(test.theta, step), across(test.nu, step));
    case 'coordinate_norm':
      return coordinate(test.eta, step);
  }
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

/** One coordinate alone: the one whose noise, relative to its mean, is at the chosen quantile. Its mean has length 1. */
function coordinate(eta: number, step: StepRecord): Sides | null {
  return bars({ arrow: 1, noise: perMean(step.coordinate_ratio, step), allowed: eta }, null);
}

/** No test is on: the noise is drawn where it was measured all the same. */
function withoutTest(step: StepRecord): Sides | null {
  const noise = perMean(step.variance, step);
  if (noise === null) return null;
  return { shape: 'disc', arrow: Math.sqrt(step.mean_norm_sq), noise: { along: noise, across: noise }, allowed: NOTHING };
}

/** The standard deviation of a mean over this step's batch. */
function perMean(variance: number | null, step: StepRecord): number | null {
  return variance === null ? null : Math.sqrt(variance / step.samples);
}

/** The length of the mean gradient without what its own noise adds to it; 0 where the noise explains all of it. */
function debiasedNorm(step: StepRecord): number {
  const noise = step.variance === null ? 0 : step.variance / step.samples;
  return Math.sqrt(Math.max(0, step.mean_norm_sq - noise));
}

export function scaled(extent: Extent, factor: number): Extent {
  return {
    along: extent.along === null ? null : extent.along * factor,
    across: extent.across === null ? null : extent.across * factor,
  };
}

/** Between two extents of the same kind; `share` 0 gives the first. */
export function between(from: Extent, to: Extent, share: number): Extent {
  const mix = (one: number | null, other: number | null): number | null =>
    one === null || other === null ? other : one + (other - one) * share;
  return { along: mix(from.along, to.along), across: mix(from.across, to.across) };
}

/** How many times the noise reaches as far as it may: the larger of both directions; null where nothing is allowed. */
export function excess({ noise, allowed }: Picture): number | null {
  const ratios = [ratio(noise.along, allowed.along), ratio(noise.across, allowed.across)].filter((value) => value !== null);
  return ratios.length === 0 ? null : Math.max(...ratios);
}

function ratio(noise: number | null, allowed: number | null): number | null {
  return noise === null || allowed === null || allowed === 0 ? null : noise / allowed;
}
