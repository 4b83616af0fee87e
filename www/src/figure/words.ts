/** The figure in words: its sentence, its legend, and what its parts stand for. */
import type { BatchTest, RunConfig } from '../../pkg/adadagrad_web.js';
import { formatCount, formatFactor, formatMeasure, formatSize } from '../format.js';
import type { StepRecord } from '../protocol.js';
import { titleOfObserved } from '../settings/observable.js';
import { isLastStep } from '../state.js';
import type { ShownStep } from '../state.js';
import { pictureNames } from '../test-sides.js';
import { describeReason, describeUnobserved, usesTest, whyExtended, whyNextBatch } from '../rule-words.js';
import type { Extent, Picture } from './geometry.js';

export function describeShown({ config, step, recorded }: ShownStep): string {
  const beginning = `${recorded ? 'Recorded run, step' : 'Step'} ${formatCount(step.step)}`;
  if (!usesTest(config.controller)) return `${beginning}: ${noiseBeside(step)}${whyNextBatch(config, step)}; ${nextBatch(config, step, null)}.`;
  if (step.required === null) {
    const reason = step.reasons.required;
    const why = reason === undefined ? 'the test was not computed' : describeReason(reason);
    return `${beginning}: ${why}; ${nextBatch(config, step, null)}.`;
  }
  const factor = step.required / step.samples;
  const reach = formatFactor(Math.sqrt(factor));
  if (factor <= 1) {
    return `${beginning}: the noise is ${reach} times the allowed length, so ${formatCount(step.samples)} samples were enough; ${nextBatch(config, step, step.required)}.`;
  }
  return (
    `${beginning}: the noise is ${reach} times the allowed length; ` +
    `${formatSize(step.required)} samples needed (${reach}² ≈ ${formatFactor(factor)} times as many), ` +
    `${formatCount(step.samples)} used; ${nextBatch(config, step, step.required)}.`
  );
}

/** The result of a test that does not decide. */
function noiseBeside({ required, samples }: StepRecord): string {
  return required === null ? '' : `the noise is ${formatFactor(Math.sqrt(required / samples))} times the allowed length, but the test does not decide; `;
}

/** `required`: what the test requires, where it decides. */
function nextBatch(config: RunConfig, step: StepRecord, required: number | null): string {
  if (isLastStep(config, step)) return 'the run ends here';
  if (step.next_batch === step.samples) return `the next batch stays ${formatCount(step.samples)}`;
  const held = required !== null && step.next_batch < required ? ', the largest that the settings allow' : '';
  return `next batch ${formatCount(step.next_batch)}${held}`;
}

/** A change of the batch size, and the settings that it was made with. `planned`: the size that the batch began with. */
export interface SizeChange {
  config: RunConfig;
  step: StepRecord;
  planned: number;
}

/** The newest of the changes that steps made; null where none made one. `before`: the step before them, where it is known. */
export function newestChange(steps: readonly StepRecord[], before: StepRecord | null, configAt: (step: number) => RunConfig): SizeChange | null {
  let newest: SizeChange | null = null;
  let last = before;
  for (const step of steps) {
    const planned = last !== null && last.step + 1 === step.step ? last.next_batch : step.samples;
    const config = configAt(step.step);
    const changes = step.next_batch !== step.samples && !isLastStep(config, step);
    if (changes || step.samples > planned) newest = { config, step, planned };
    last = step;
  }
  return newest;
}

export function describeChange({ config, step, planned }: SizeChange): string {
  const count = formatCount;
  if (step.next_batch === step.samples || isLastStep(config, step)) {
    return `Last growth: step ${count(step.step)} was extended from ${count(planned)} to ${count(step.samples)} samples, because ${whyExtended(config, step)}.`;
  }
  const what = step.next_batch > step.samples ? 'growth' : 'reduction';
  return `Last ${what}: after step ${count(step.step)}, from ${count(step.samples)} to ${count(step.next_batch)}, because ${whyNextBatch(config, step)}.`;
}

/** What is only reported: its name and its sizes, of this batch and smoothed. */
export function observedOf({ observed = {} }: StepRecord): { name: string; value: string }[] {
  return Object.entries(observed).map(([name, { size, smoothed, reason }]) => {
    const sizes = [...(size === null ? [] : [formatSize(size)]), ...(smoothed === null ? [] : [`${formatSize(smoothed)} smoothed`])];
    return { name: titleOfObserved(name), value: sizes.length > 0 ? sizes.join(', ') : reason === undefined ? 'not computed' : describeUnobserved(reason) };
  });
}

export interface LegendEntry {
  mark: 'arrow' | 'noise' | 'allowed' | 'next';
  name: string;
  value: string;
}

export function legendOf({ config: { test }, step }: ShownStep, picture: Picture): LegendEntry[] {
  const names = pictureNames(test);
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

const SCALE =
  'Everything is drawn to scale. Noise falls with the square root of the batch size: half the noise takes four times as many samples.';

export function explain(test: BatchTest | null): string {
  return `${pictureNames(test).explanation} ${SCALE}`;
}
