/**
 * The five scenes of “Show me”: what is run, when the telling moment has come, and the sentence for it. Nothing here touches the
 * page. All runs of the scenes have the preset's seed and network, and the data at hand.
 */
import type { RunConfig, SampleShape } from '../../pkg/adadagrad_web.js';
import { formatCount, formatFactor, formatPercent, formatSeconds, formatSize, formatSteps } from '../format.js';
import { adaptiveName, fixedBatch, largeBatch } from '../runs/comparisons.js';
import type { Variant } from '../runs/comparisons.js';
import { outcomeOf } from '../runs/outcome.js';
import type { Outcome } from '../runs/outcome.js';
import { raceVariants } from '../runs/race-variants.js';
import type { TrainedRun } from '../runs/trained-run.js';
import type { Catalogue, StepRecord } from '../protocol.js';
import { nounOf } from '../samples.js';
import type { HorizontalAxis } from '../state.js';

/** What the scenes are played with. */
export interface SceneInputs {
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
  isTold: (step: StepRecord, inputs: SceneInputs) => boolean;
  tell: (step: StepRecord, inputs: SceneInputs) => string;
}

/** Several runs, drawn over the same axis. */
export interface ComparedScene extends SceneWords {
  kind: 'compared';
  axis: HorizontalAxis;
  variants: (inputs: SceneInputs) => Variant[];
  tell: (runs: readonly TrainedRun[], inputs: SceneInputs) => string;
}

export type Scene = SingleScene | ComparedScene;

/** A batch that has grown so often has shown that it grows. */
const GROWN = 64;
/** So many steps of the large batch see as many samples as the other runs of a scene. */
const LARGE_STEPS = 4;

export const SCENES: readonly Scene[] = [
  {
    kind: 'single',
    name: 'arrow',
    title: 'Few samples: a noisy gradient',
    beginning: 'The first step is computed from a few samples only.',
    isTold: () => true,
    tell: tellArrow,
  },
  {
    kind: 'single',
    name: 'growth',
    title: 'Too much noise: the batch grows',
    beginning: 'After each step, the test compares the noise with the noise that it allows: two discs around the tip of the arrow.',
    isTold: (step, { config }) => step.next_batch >= Math.min(GROWN, config.max_batch),
    tell: tellGrowth,
  },
  {
    kind: 'compared',
    name: 'large',
    title: 'A large batch from the start wastes samples',
    beginning: 'One run adapts its batch size, the other uses a large batch from the start. Both see the same number of samples.',
    axis: 'samples',
    variants: ({ config }) => [adaptive(config), fixedBatch(config, largeBatch(config))],
    tell: tellLarge,
  },
  {
    kind: 'compared',
    name: 'small',
    title: 'A small batch throughout needs many steps',
    beginning: 'One run adapts its batch size, the other keeps its initial batch size. Both see the same number of samples.',
    axis: 'steps',
    variants: ({ config }) => [adaptive(config), fixedBatch(config, config.initial_batch)],
    tell: tellSmall,
  },
  {
    kind: 'compared',
    name: 'race',
    title: 'The rules race',
    beginning: 'Four rules choose batch sizes, one after another, on the same samples.',
    axis: 'samples',
    variants: ({ config, catalogue, trainingSamples }) =>
      raceVariants(config, catalogue, ['constant', 'adadagrad', 'gradient_noise_scale', 'linear'], trainingSamples),
    tell: tellRace,
  },
];

export function sceneNamed(name: string | null): Scene | null {
  return SCENES.find((scene) => scene.name === name) ?? null;
}

/** Settings for the scenes: enough samples to see the difference, and over in seconds. */
export function shortened(config: RunConfig): RunConfig {
  const large = largeBatch(config);
  return { ...config, sample_budget: Math.min(config.sample_budget, LARGE_STEPS * large), evaluate_every: large };
}

function adaptive(config: RunConfig): Variant {
  return { name: adaptiveName(config), config };
}

function tellArrow(step: StepRecord, inputs: SceneInputs): string {
  const samples = samplesOf(inputs);
  const noise = step.variance === null ? NaN : Math.sqrt(step.variance / step.samples / step.mean_norm_sq);
  const length = Number.isFinite(noise) ? `, and its noise is ${formatFactor(noise)} times as long as the arrow` : '';
  return `The arrow is the average gradient of ${formatCount(step.samples)} ${samples}${length}: other ${samples} would have given a different arrow.`;
}

function tellGrowth(step: StepRecord, inputs: SceneInputs): string {
  if (step.next_batch <= step.samples || step.required === null) return 'The noise stayed within what the test allows, so the batch did not have to grow.';
  return (
    `The noise is ${formatFactor(Math.sqrt(step.required / step.samples))} times what the test allows, so ${formatCount(step.samples)} ${samplesOf(inputs)} ` +
    `were too few: the test requires ${formatSize(step.required)}, and the next batch has ${formatCount(step.next_batch)}.`
  );
}

function tellLarge(runs: readonly TrainedRun[], inputs: SceneInputs): string {
  const [adapted, large] = runs.map(outcomeOf);
  if (adapted?.accuracy == null || large?.accuracy == null) return '';
  const seen = `From the same ${formatCount(large.samples ?? 0)} ${samplesOf(inputs)}`;
  const both = `the large batch made ${steps(large)} and reached ${formatPercent(large.accuracy)} accuracy, the adaptive one made ${steps(adapted)} and reached ${formatPercent(adapted.accuracy)}`;
  return `${seen}, ${both}${adapted.accuracy > large.accuracy ? ': early on, many small steps teach more than a few exact ones' : ''}.`;
}

function tellSmall(runs: readonly TrainedRun[], inputs: SceneInputs): string {
  const [adapted, small] = runs.map(outcomeOf);
  if (adapted?.accuracy == null || small?.accuracy == null) return '';
  const reached = `the small batch made ${steps(small)} and reached ${formatPercent(small.accuracy)} accuracy, the adaptive one ${formatPercent(adapted.accuracy)} in ${steps(adapted)}`;
  const time = small.seconds === null || adapted.seconds === null ? '' : ` (here ${formatSeconds(small.seconds)} and ${formatSeconds(adapted.seconds)})`;
  return `From the same ${formatCount(small.samples ?? 0)} ${samplesOf(inputs)}, ${reached}${time}. Where each step has a fixed cost, as on a GPU or a cluster, fewer steps save time.`;
}

function tellRace(runs: readonly TrainedRun[], inputs: SceneInputs): string {
  const racers = runs.map((run) => ({ name: run.name, ...outcomeOf(run) })).filter(({ accuracy }) => accuracy !== null);
  const [best] = [...racers].sort((one, other) => (other.accuracy ?? 0) - (one.accuracy ?? 0));
  const [fewest] = [...racers].sort((one, other) => (one.steps ?? Infinity) - (other.steps ?? Infinity));
  if (best === undefined || fewest === undefined) return '';
  const beginning = `From the same ${formatCount(best.samples ?? 0)} ${samplesOf(inputs)}, the most accurate was ${best.name} (${formatPercent(best.accuracy ?? 0)} in ${steps(best)})`;
  if (best === fewest) return `${beginning}, which also made the fewest steps.`;
  return `${beginning}; the fewest steps were made by ${fewest.name} (${formatPercent(fewest.accuracy ?? 0)} in ${steps(fewest)}).`;
}

function steps({ steps: count }: Outcome): string {
  return formatSteps(count ?? 0);
}

function samplesOf({ shape }: SceneInputs): string {
  return `${nounOf(shape)}s`;
}
