/** Comparisons that tell a story: the same model, seed and budget, one thing different from run to run. */
import type { BatchTest, RunConfig } from '../../pkg/adadagrad_web.js';
import { formatCount } from '../format.js';
import { chooseOptimizer, chooseTest, OPTIMIZERS, TESTS } from '../settings/choices.js';
import type { ControllerName, OptimizerName } from '../settings/choices.js';
import type { Catalogue } from '../protocol.js';
import { raceVariants } from './race-variants.js';
import { thresholdOf } from './thresholds.js';

export interface Variant {
  name: string;
  config: RunConfig;
  /** What a reader should know of it beside its name; empty where that is all. */
  note?: string;
}

export interface Comparison {
  id: string;
  title: string;
  /** What to look for. */
  hint: string;
  /** Its runs leave nothing behind. */
  transient?: boolean;
  variants: (settings: RunConfig, catalogue: Catalogue) => Variant[];
}

/** Several rules on the same budget, which is the settings' own. */
export function race(rules: readonly ControllerName[], trainingSamples: number): Comparison {
  return {
    id: 'rules',
    title: 'Race the rules',
    hint: 'Seed, network, data and sample budget are the same for all rules. Each step also measures the variance of the gradients, for the noise scale.',
    variants: (settings, catalogue) => raceVariants(settings, catalogue, rules, trainingSamples),
  };
}

const LARGE_BATCH = 4096;
/** Enough to see the difference, and over in a minute or two. */
const MOST_SAMPLES = 60_000;

export const COMPARISONS: readonly Comparison[] = [
  {
    id: 'batches',
    title: 'Adaptive, small or large batch',
    hint: 'The small batch makes many noisy steps, the large one too few steps; the adaptive one starts like the small batch and ends like the large one.',
    variants: (settings, catalogue) => {
      const base = adaptive(settings, catalogue);
      return [
        { name: adaptiveName(base), config: base },
        fixedBatch(base, base.initial_batch),
        fixedBatch(base, largeBatch(base)),
      ];
    },
  },
  {
    id: 'tests',
    title: 'Norm or inner product test',
    hint: 'The inner product test only limits the noise along the step, so smaller batches pass it.',
    variants: (settings, catalogue) => [withTest(settings, 'norm', catalogue), withTest(settings, 'inner_product', catalogue)],
  },
  {
    id: 'optimizers',
    title: 'AdaGrad, Adam or SGD',
    hint: 'The same test controls the batch size of each optimizer; each optimizer has its own learning rate.',
    variants: (settings, catalogue) => (['adagrad', 'adam', 'sgd'] satisfies OptimizerName[]).map((name) => withOptimizer(settings, name, catalogue)),
  },
  {
    id: 'thresholds',
    title: 'Half or double threshold',
    hint: 'Half the threshold requires four times the batch.',
    variants: (settings, catalogue) => [0.5, 1, 2].map((factor) => withThreshold(settings, factor, catalogue)),
  },
];

function shortened(settings: RunConfig): RunConfig {
  return { ...settings, sample_budget: Math.min(settings.sample_budget, MOST_SAMPLES) };
}

/** The settings with a test on: without one, that of the first preset. */
function adaptive(settings: RunConfig, { presets: [preset] }: Catalogue): RunConfig {
  if (settings.test !== null || preset === undefined) return shortened(settings);
  const { test, controller } = structuredClone(preset.config);
  return shortened({ ...settings, test, controller, max_batch: Math.max(settings.max_batch, settings.initial_batch) });
}

/** What a run is called that adapts its batch. */
export function adaptiveName({ initial_batch: initial }: RunConfig): string {
  return `Adaptive from ${formatCount(initial)}`;
}

/** What is called a large batch, where the settings allow it. */
export function largeBatch({ max_batch: most }: RunConfig): number {
  return Math.min(most, LARGE_BATCH);
}

/** The same run with a batch that never changes. */
export function fixedBatch(base: RunConfig, batch: number): Variant {
  const config: RunConfig = {
    ...base,
    test: null,
    controller: { name: 'constant' },
    initial_batch: batch,
    min_batch: Math.min(base.min_batch, batch),
    max_batch: Math.max(base.max_batch, batch),
  };
  return { name: `Constant ${formatCount(batch)}`, config };
}

function withTest(settings: RunConfig, name: 'norm' | 'inner_product', catalogue: Catalogue): Variant {
  const base = adaptive(settings, catalogue);
  return { name: TESTS[name], config: base.test?.name === name ? base : chooseTest(base, name, catalogue.defaults) };
}

function withOptimizer(settings: RunConfig, name: OptimizerName, catalogue: Catalogue): Variant {
  const base = adaptive(settings, catalogue);
  return { name: OPTIMIZERS[name].title, config: base.optimizer.name === name ? base : chooseOptimizer(base, name, catalogue.defaults) };
}

function withThreshold(settings: RunConfig, factor: number, catalogue: Catalogue): Variant {
  const base = adaptive(settings, catalogue);
  const own = thresholdOf(base.test);
  if (own === null || base.test === null) return { name: 'Adaptive', config: base };
  const value = Number((own.value * factor).toPrecision(6));
  return { name: `${own.symbol} = ${value}`, config: { ...base, test: { ...base.test, [own.key]: value } as BatchTest } };
}
