/** What can be chosen, under which names, and the settings with another choice. Its values are the core's defaults. */
import type { BatchTest, Controller, DatasetName, Decay, Defaults, ModelName, Normalisation, Optimizer, RunConfig } from '../../pkg/adadagrad_web.js';
import { usesTest } from '../rule-words.js';
import { capitalised, defaultsOf, titlesOf } from './rows.js';
import { CONTROLLER_ROWS, DECAY_ROWS, OPTIMIZER_ROWS, TEST_ROWS } from './table.js';

export type OptimizerName = Optimizer['name'];
export type TestName = BatchTest['name'];
export type ControllerName = Controller['name'];
export type DecayName = Decay['name'];

/** As within a sentence. */
export const DATASETS: Readonly<Record<DatasetName, string>> = {
  mnist: 'MNIST',
  fashion_mnist: 'Fashion-MNIST',
  cifar10: 'CIFAR-10',
  cifar100: 'CIFAR-100',
  shakespeare: 'Shakespeare',
  own: 'your files',
};

/** As within a sentence. */
export const NORMALISATIONS: Readonly<Record<Normalisation, string>> = { none: 'pixels from 0 to 1', training: 'normalised per channel' };

/** Networks by name, of any size: what the core takes, which tells what is wrong with a size. */
const MODEL_TITLES: readonly (readonly [RegExp, (sizes: readonly string[]) => string])[] = [
  [/^logistic$/, () => 'Softmax regression'],
  [/^mlp$/, () => 'MLP'],
  [/^mlp-(\d+)$/, ([hidden = '']) => `MLP with ${hidden} hidden units`],
  [/^cnn$/, () => 'CNN'],
  [/^cifar-cnn$/, () => 'CIFAR CNN'],
  [/^resnet-(\d+)$/, ([depth = '']) => `ResNet-${depth}`],
  [/^resnet-(\d+)-(\d+)$/, ([depth = '', width = '']) => `ResNet-${depth} from ${width} channels`],
  [/^resnet18$/, () => 'ResNet-18'],
  [/^resnet18-(\d+)$/, ([width = '']) => `ResNet-18 from ${width} channels`],
  [/^transformer$/, () => 'Transformer'],
  [/^transformer-(\d+)-(\d+)-(\d+)$/, ([layers = '', heads = '', width = '']) => `Transformer with ${several(layers, 'layer')}, ${several(heads, 'head')} and width ${width}`],
  [/^own-[0-9a-f]+$/, () => 'Your own network'],
];

export const MODEL_EXAMPLES: readonly string[] = ['logistic', 'mlp', 'mlp-64', 'cnn', 'cifar-cnn', 'resnet-8', 'resnet-20', 'resnet-20-32', 'resnet18', 'transformer', 'transformer-2-2-64'];

function several(count: string, noun: string): string {
  return count === '1' ? `1 ${noun}` : `${count} ${noun}s`;
}

/** Null where there is no such network. */
function knownModelTitle(name: ModelName): string | null {
  for (const [pattern, title] of MODEL_TITLES) {
    const found = pattern.exec(name);
    if (found !== null) return title(found.slice(1));
  }
  return null;
}

export function modelTitle(name: ModelName): string {
  return knownModelTitle(name) ?? name;
}

/** Whether the page can name such a network. */
export function hasModelTitle(name: string): boolean {
  return knownModelTitle(name) !== null;
}

/** Whether a network could be called so. Those of the visitor's own have no layers here. */
export function isModelName(name: string): boolean {
  return hasModelTitle(name) && !name.startsWith('own-');
}

interface OptimizerChoice {
  title: string;
  /** A rate that trains MNIST sensibly; set when the optimizer is chosen. */
  learningRate: number;
}

/** Rates that train MNIST sensibly. */
const LEARNING_RATES: Readonly<Partial<Record<string, number>>> = {
  adagrad: 0.02,
  adagrad_norm: 0.5,
  adam: 0.001,
  adamw: 0.001,
  rmsprop: 0.001,
  sgd: 0.05,
};
const USUAL_LEARNING_RATE = 0.01;

/** By title. */
export const OPTIMIZERS = Object.fromEntries(
  OPTIMIZER_ROWS.map(({ name, title }): [OptimizerName, OptimizerChoice] => [
    name,
    { title: capitalised(title), learningRate: LEARNING_RATES[name] ?? USUAL_LEARNING_RATE },
  ]).sort(([, one], [, other]) => one.title.localeCompare(other.title, 'en')),
) as Readonly<Record<OptimizerName, OptimizerChoice>>;

export const TESTS: Readonly<Record<TestName, string>> = titlesOf(TEST_ROWS);

export const CONTROLLERS: Readonly<Record<ControllerName, string>> = titlesOf(CONTROLLER_ROWS);

/** Those that can be reported. */
export const NOISE_SCALES: Readonly<Record<string, string>> = {
  noise_scale: 'Noise scale',
  noise_scale_preconditioned: 'Noise scale, preconditioned',
  noise_scale_sign: 'Noise scale of the signs',
};

export const DECAYS: Readonly<Record<DecayName, string>> = titlesOf(DECAY_ROWS);

export function chooseOptimizer(config: RunConfig, name: OptimizerName, { optimizers }: Defaults): RunConfig {
  return { ...config, optimizer: named(optimizers, name), learning_rate: OPTIMIZERS[name].learningRate };
}

/** Null: no test. A rule that decides by the test gives way to the constant batch then. */
export function chooseTest(config: RunConfig, name: TestName | null, { tests }: Defaults): RunConfig {
  if (name === null) return { ...config, test: null, controller: usesTest(config.controller) ? { name: 'constant' } : config.controller };
  return { ...config, test: withEtaOf(named(tests, name), config.test), controller: adaptiveController(config) };
}

export function chooseDecay(config: RunConfig, name: DecayName, { decays }: Defaults): RunConfig {
  return { ...config, schedule: { ...config.schedule, decay: named(decays, name) } };
}

/** Keeps the settings of the rule where it is the same. */
export function chooseController(config: RunConfig, name: ControllerName): RunConfig {
  if (config.controller.name === name) return config;
  // The types of these settings are written from the rows that their defaults come from.
  return { ...config, controller: defaultsOf(CONTROLLER_ROWS, name) as Controller };
}

/** A rule that decides by the test brings one along where there is none. */
export function chooseControllerWithTest(config: RunConfig, name: ControllerName, { tests }: Defaults): RunConfig {
  const next = chooseController(config, name);
  return next.test === null && usesTest(next.controller) ? { ...next, test: named(tests, 'norm') } : next;
}

/** The settings' own controller if it adapts the batch, else one that does. */
function adaptiveController(config: RunConfig): Controller {
  return config.controller.name === 'constant' ? chooseController(config, 'adadagrad').controller : config.controller;
}

export function isOptimizerName(name: string): name is OptimizerName {
  return Object.hasOwn(OPTIMIZERS, name);
}

export function isTestName(name: string): name is TestName {
  return Object.hasOwn(TESTS, name);
}

export function isControllerName(name: string): name is ControllerName {
  return Object.hasOwn(CONTROLLERS, name);
}

export function isDecayName(name: string): name is DecayName {
  return Object.hasOwn(DECAYS, name);
}

/** As in the core (`AnyTest::with_eta_of`): η means the same in all tests that have it, so a new choice keeps it. */
function withEtaOf(test: BatchTest, previous: BatchTest | null): BatchTest {
  return 'eta' in test && previous !== null && 'eta' in previous ? { ...test, eta: previous.eta } : test;
}

function named<Choice extends { name: string }>(choices: readonly Choice[], name: Choice['name']): Choice {
  const found = choices.find((choice) => choice.name === name);
  if (found === undefined) throw new Error(`the core has no defaults for ${name}`);
  return { ...found };
}
