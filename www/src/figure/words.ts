/** The figure in words: its sentence, its legend, and what its parts stand for. */
import type { BatchTest } from '../../pkg/adadagrad_web.js';
import { formatCount, formatFactor, formatMeasure, formatSize } from '../format.js';
import type { StepRecord } from '../protocol.js';
import type { ShownStep } from '../state.js';
import { describeReason } from '../words.js';
import type { Extent, Picture } from './geometry.js';

export function describeShown({ test, step, recorded }: ShownStep): string {
  const beginning = `${recorded ? 'Recorded run, step' : 'Step'} ${formatCount(step.step)}`;
  if (test === null) {
    const next = step.next_batch === step.samples ? `so the batch size stays ${formatCount(step.samples)}` : nextBatch(step);
    return `${beginning}: there is no test, ${next}.`;
  }
  if (step.required === null) {
    const reason = step.reasons.required;
    const why = reason === undefined ? 'the test was not computed' : describeReason(reason);
    return `${beginning}: ${why}; ${nextBatch(step)}.`;
  }
  const factor = step.required / step.samples;
  const reach = formatFactor(Math.sqrt(factor));
  if (factor <= 1) {
    return `${beginning}: the noise is ${reach} times the allowed length, so ${formatCount(step.samples)} samples were enough; ${nextBatch(step)}.`;
  }
  return (
    `${beginning}: the noise is ${reach} times the allowed length; ` +
    `${formatSize(step.required)} samples needed (${reach}² ≈ ${formatFactor(factor)} times as many), ` +
    `${formatCount(step.samples)} used; ${nextBatch(step)}.`
  );
}

function nextBatch(step: StepRecord): string {
  if (step.next_batch === step.samples) return `the next batch stays ${formatCount(step.samples)}`;
  const held = step.required !== null && step.next_batch < step.required ? ', the largest that the settings allow' : '';
  return `next batch ${formatCount(step.next_batch)}${held}`;
}

export function describeGrowth(step: StepRecord): string {
  return `Last growth: after step ${formatCount(step.step)}, from ${formatCount(step.samples)} to ${formatCount(step.next_batch)}.`;
}

export interface LegendEntry {
  mark: 'arrow' | 'noise' | 'allowed' | 'next';
  name: string;
  value: string;
}

export function legendOf({ test, step }: ShownStep, picture: Picture): LegendEntry[] {
  const names = NAMES[test?.name ?? 'none'];
  const debiased = test?.name === 'norm' && test.debiased;
  const entries: LegendEntry[] = [
    { mark: 'arrow', name: names.arrow, value: formatMeasure(picture.arrow) },
    { mark: 'noise', name: names.noise, value: formatExtent(picture.noise) },
  ];
  if (names.allowed !== null) {
    const name = debiased ? `${names.allowed}, debiased` : names.allowed;
    entries.push({ mark: 'allowed', name, value: formatExtent(picture.allowed) });
  }
  if (picture.next !== null) {
    entries.push({ mark: 'next', name: `expected noise, b = ${formatCount(step.next_batch)}`, value: formatExtent(picture.next) });
  }
  return entries;
}

function formatExtent({ along, across }: Extent): string {
  const told = [along, across].filter((value) => value !== null);
  if (along === across) return along === null ? 'not computed' : formatMeasure(along);
  return told.map((value) => formatMeasure(value)).join(' and ');
}

interface Names {
  arrow: string;
  noise: string;
  allowed: string | null;
  /** What the drawing shows, in one sentence. */
  explanation: string;
}

const DISCS =
  'The discs around the tip of the arrow are the noise of the mean gradient and the noise that the test allows. They represent balls in the space of all parameters.';

const NAMES: Record<BatchTest['name'] | 'none', Names> = {
  none: { arrow: 'mean gradient ḡ', noise: 'noise, √(v ∕ b)', allowed: null, explanation: 'There is no test, so nothing limits the noise.' },
  norm: { arrow: 'mean gradient ḡ', noise: 'noise, √(v ∕ b)', allowed: 'allowed, η‖ḡ‖', explanation: DISCS },
  worker_norm: {
    arrow: 'mean gradient ḡ',
    noise: 'noise, from the parts’ means',
    allowed: 'allowed, η‖ḡ‖',
    explanation: `${DISCS} The noise is estimated from the mean gradients of parts of the batch.`,
  },
  inner_product: {
    arrow: 'mean gradient ḡ',
    noise: 'noise along ḡ',
    allowed: 'allowed, ϑ‖ḡ‖',
    explanation: 'This test only limits the noise along the arrow, drawn as bars along it. Noise orthogonal to it does not count, and the thickness of the bars has no meaning.',
  },
  orthogonality: {
    arrow: 'mean gradient ḡ',
    noise: 'noise orthogonal to ḡ',
    allowed: 'allowed, ν‖ḡ‖',
    explanation: 'This test only limits the noise orthogonal to the arrow. The length of the bars stands for all directions at right angles to it.',
  },
  augmented: {
    arrow: 'mean gradient ḡ',
    noise: 'noise along and orthogonal to ḡ',
    allowed: 'allowed, ϑ‖ḡ‖ and ν‖ḡ‖',
    explanation: 'Two tests at once: bars along the arrow, and bars across it for all directions at right angles. Both must pass.',
  },
  coordinate_norm: {
    arrow: 'one coordinate’s mean',
    noise: 'its noise, relative to it',
    allowed: 'allowed, η',
    explanation:
      'This test looks at every coordinate separately. The drawing shows the coordinate that decides (the chosen quantile); the arrow is its mean, scaled to length 1.',
  },
};

const SCALE =
  'Everything is drawn to scale. Noise falls with the square root of the batch size: half the noise takes four times as many samples.';

export function explain(test: BatchTest | null): string {
  return `${NAMES[test?.name ?? 'none'].explanation} ${SCALE}`;
}
