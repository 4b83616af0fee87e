/**
 * The five scenes of “Show me”: what is run, when the telling moment has come, and the sentence for it. Nothing here touches the
 * page. All runs of the scenes have the preset's seed and network, and the data at hand.
 */
import type { RunConfig, SampleShape } from '../../pkg/adadagrad_web.js';
import { formatCount, formatFactor, formatPercent, formatSeconds, formatSize } from '../format.js';
import { fixedBatch } from '../runs/comparisons.js';
import type { Variant } from '../runs/comparisons.js';
import { outcomeOf } from '../runs/outcome.js';
import type { Outcome } from '../runs/outcome.js';
import { raceVariants } from '../runs/race-variants.js';
import type { TrainedRun } from '../runs/trained-run.js';
import type { Catalogue, StepRecord } from '../protocol.js';
import { isSequence } from '../samples.js';
import type { HorizontalAxis } from '../state.js';

/** What the scenes are played with. */
export interface Props {
  config: RunConfig;
  catalogue: Catalogue;
  shape: SampleShape;
  trainingSamples: number;
}

interface SceneWords {
  /** In the address. */
  name: string;
  title: string;
  /** What to look for while it runs. */
  beginning: string;
}

/** One run, slowly, until a step that tells. */
export interface SingleScene extends SceneWords {
  kind: 'single';
  isTold: (step: StepRecord) => boolean;
  tell: (step: StepRecord, props: Props) => string;
}

/** Several runs, drawn over the same axis. */
export interface ComparedScene extends SceneWords {
  kind: 'compared';
  axis: HorizontalAxis;
  variants: (props: Props) => Variant[];
  tell: (runs: readonly TrainedRun[], props: Props) => string;
}

export type Scene = SingleScene | ComparedScene;

/** A batch that has grown so often has shown that it grows. */
const GROWN = 64;
const LARGE_BATCH = 4096;
/** So many steps of the large batch see as many samples as the other runs of a scene. */
const LARGE_STEPS = 4;

export const SCENES: readonly Scene[] = [
  {
    kind: 'single',
    name: 'arrow',
    title: 'A few samples, and a wild arrow',
    beginning: 'The first step is computed from a few samples only.',
    isTold: () => true,
    tell: tellArrow,
  },
  {
    kind: 'single',
    name: 'growth',
    title: 'Too much noise: the batch grows',
    beginning: 'After each step the test compares the disc of noise with the dashed circle, the noise that is allowed.',
    isTold: (step) => step.next_batch >= GROWN,
    tell: tellGrowth,
  },
  {
    kind: 'compared',
    name: 'large',
    title: 'A large batch from the start wastes samples',
    beginning: 'One run adapts its batch, the other has a large batch from the start; both see the same number of samples.',
    axis: 'samples',
    variants: ({ config }) => [adaptive(config), fixedBatch(shortened(config), largeBatch(config))],
    tell: tellLarge,
  },
  {
    kind: 'compared',
    name: 'small',
    title: 'A small batch forever needs many steps',
    beginning: 'One run adapts its batch, the other keeps the first one; both see the same number of samples.',
    axis: 'steps',
    variants: ({ config }) => [adaptive(config), fixedBatch(shortened(config), config.initial_batch)],
    tell: tellSmall,
  },
  {
    kind: 'compared',
    name: 'race',
    title: 'The rules race',
    beginning: 'Four rules choose batch sizes, one after another, on the same samples.',
    axis: 'samples',
    variants: ({ config, catalogue, trainingSamples }) =>
      raceVariants(shortened(config), catalogue, ['constant', 'adadagrad', 'gradient_noise_scale', 'linear'], trainingSamples),
    tell: tellRace,
  },
];

export function sceneNamed(name: string | null): Scene | null {
  return SCENES.find((scene) => scene.name === name) ?? null;
}

function largeBatch(config: RunConfig): number {
  return Math.min(config.max_batch, LARGE_BATCH);
}

/** Enough to see the difference, and over in seconds. */
function shortened(config: RunConfig): RunConfig {
  const large = largeBatch(config);
  return { ...config, sample_budget: Math.min(config.sample_budget, LARGE_STEPS * large), evaluate_every: large };
}

function adaptive(config: RunConfig): Variant {
  return { name: `Adaptive from ${formatCount(config.initial_batch)}`, config: shortened(config) };
}

function tellArrow(step: StepRecord, props: Props): string {
  const some = `${formatCount(step.samples)} ${samplesOf(props)}`;
  const noise = step.variance === null ? NaN : Math.sqrt(step.variance / step.samples / step.mean_norm_sq);
  const length = Number.isFinite(noise) ? `, and its noise is ${formatFactor(noise)} times as long as the arrow itself` : '';
  return `The arrow is the average of what ${some} ask for${length}: other ${samplesOf(props)} would have given another arrow.`;
}

function tellGrowth(step: StepRecord, props: Props): string {
  if (step.next_batch <= step.samples || step.required === null) return 'The noise stayed within what is allowed, so the batch did not have to grow.';
  return (
    `The noise disc is ${formatFactor(Math.sqrt(step.required / step.samples))} times as wide as the dashed circle, so the ${formatCount(step.samples)} ` +
    `${samplesOf(props)} of this batch were too few: ${formatSize(step.required)} would pass the test, and the next batch has ${formatCount(step.next_batch)}.`
  );
}

function tellLarge(runs: readonly TrainedRun[], props: Props): string {
  const [adapted, large] = runs.map(outcomeOf);
  if (adapted?.accuracy == null || large?.accuracy == null) return '';
  const seen = `From the same ${formatCount(large.samples ?? 0)} ${samplesOf(props)}`;
  const both = `the large batch made ${steps(large)} and reached ${formatPercent(large.accuracy)} accuracy, the adaptive one made ${steps(adapted)} and reached ${formatPercent(adapted.accuracy)}`;
  return `${seen}, ${both}${adapted.accuracy > large.accuracy ? ': early on, many small steps teach more than a few exact ones' : ''}.`;
}

function tellSmall(runs: readonly TrainedRun[], props: Props): string {
  const [adapted, small] = runs.map(outcomeOf);
  if (adapted?.accuracy == null || small?.accuracy == null) return '';
  const reached = `the small batch made ${steps(small)} and reached ${formatPercent(small.accuracy)} accuracy, the adaptive one ${formatPercent(adapted.accuracy)} in ${steps(adapted)}`;
  const time = small.seconds === null || adapted.seconds === null ? '' : ` (here ${formatSeconds(small.seconds)} and ${formatSeconds(adapted.seconds)})`;
  return `From the same ${formatCount(small.samples ?? 0)} ${samplesOf(props)}, ${reached}${time}: where each step costs time of its own, as on a GPU or a cluster, fewer steps are the gain.`;
}

function tellRace(runs: readonly TrainedRun[], props: Props): string {
  const racers = runs.map((run) => ({ name: run.name, ...outcomeOf(run) })).filter(({ accuracy }) => accuracy !== null);
  const [best] = [...racers].sort((one, other) => (other.accuracy ?? 0) - (one.accuracy ?? 0));
  const [fewest] = [...racers].sort((one, other) => (one.steps ?? Infinity) - (other.steps ?? Infinity));
  if (best === undefined || fewest === undefined) return '';
  const beginning = `From the same ${formatCount(best.samples ?? 0)} ${samplesOf(props)}, the most accurate was ${best.name} (${formatPercent(best.accuracy ?? 0)} in ${steps(best)})`;
  if (best === fewest) return `${beginning}, which also made the fewest steps.`;
  return `${beginning}; the fewest steps were made by ${fewest.name} (${formatPercent(fewest.accuracy ?? 0)} in ${steps(fewest)}).`;
}

function steps({ steps: count }: Outcome): string {
  return `${formatCount(count ?? 0)} ${count === 1 ? 'step' : 'steps'}`;
}

function samplesOf({ shape, config }: Props): string {
  if (isSequence(shape)) return 'sequences';
  return config.dataset === 'mnist' ? 'digits' : 'images';
}
