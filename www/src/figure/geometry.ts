/**
 * The test as lengths: the mean gradient's arrow, and around its tip how far the noise reaches and how far it
 * may. Every length has the gradient's own unit, so one scale holds for all of them.
 */
import type { BatchTest } from '../../pkg/adadagrad_web.js';
import type { StepRecord } from '../protocol.js';
import { sidesOfPicture } from '../test-sides.js';

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

export type Sides = Omit<Picture, 'next'>;

/** Null where nothing was measured that could be drawn. */
export function pictureOf(test: BatchTest | null, step: StepRecord): Picture | null {
  const sides = sidesOfPicture(test, step);
  if (sides === null) return null;
  const grows = step.next_batch !== step.samples;
  return { ...sides, next: grows ? scaled(sides.noise, Math.sqrt(step.samples / step.next_batch)) : null };
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
