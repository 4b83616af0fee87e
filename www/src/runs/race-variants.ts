/**
 * A race of rules: the same seed, network, data and sample budget, another rule from run to run. Rules that go by epochs or
 * samples get as many changes as fit into the budget; a rule that the settings name keeps its settings.
 */
import type { BatchTest, Controller, RunConfig } from '../../pkg/adadagrad_web.js';
import { formatCount } from '../format.js';
import type { Catalogue } from '../protocol.js';
import { usesTest } from '../rule-words.js';
import { chooseController, chooseTest, CONTROLLERS } from '../settings/choices.js';
import type { ControllerName } from '../settings/choices.js';
import type { Variant } from './comparisons.js';
import { thresholdOf } from './thresholds.js';

/** One for each colour and line pattern. */
export const MOST_RACERS = 8;

/** Of a constant batch, and of what grows seldom, where it begins. */
const USUAL_BATCH = 64;
const LARGE_BATCH = 1024;
/** Changes by the epoch that a budget should have room for. */
const CHANGES = 4;

/** Rules that begin at the usual batch, because they do not look at the noise of each step. */
const BEGIN_USUAL: readonly ControllerName[] = ['constant', 'stages', 'linear', 'geometric', 'smith', 'seesaw', 'dive_batch', 'accordion'];
const BY_EPOCHS: readonly ControllerName[] = ['geometric', 'dive_batch', 'accordion'];

/** Those that a race has where nobody has chosen: one of each kind, and CABS where its optimizer is used. */
export function usualRacers({ optimizer }: Pick<RunConfig, 'optimizer'>): ControllerName[] {
  const always: ControllerName[] = ['constant', 'adadagrad', 'gradient_noise_scale', 'geometric', 'dive_batch'];
  return optimizer.name === 'sgd' ? [...always, 'cabs'] : always;
}

export function raceVariants(settings: RunConfig, catalogue: Catalogue, rules: readonly ControllerName[], trainingSamples: number): Variant[] {
  return rules.map((rule) => racer(settings, catalogue, rule, trainingSamples));
}

function racer(settings: RunConfig, catalogue: Catalogue, rule: ControllerName, trainingSamples: number): Variant {
  const isOwn = settings.controller.name === rule;
  const within = (size: number): number => Math.min(settings.max_batch, Math.max(settings.min_batch, size));
  const initial = isOwn || !BEGIN_USUAL.includes(rule) ? settings.initial_batch : within(USUAL_BATCH);
  const base = { ...settings, initial_batch: initial, min_batch: Math.min(settings.min_batch, initial), test: testFor(rule, settings, catalogue) };
  const controller = isOwn ? settings.controller : fitted(rule, settings, catalogue, { initial, large: within(LARGE_BATCH), trainingSamples });
  const config = { ...base, controller };
  const name = rule === 'constant' ? `Constant ${formatCount(initial)}` : CONTROLLERS[rule];
  return { name, config, note: describe(config, trainingSamples) };
}

/** The settings' test where it decides; for other rules the norm test, whose evidence costs no second sweep, tells the noise scale. */
function testFor(rule: ControllerName, settings: RunConfig, catalogue: Catalogue): BatchTest | null {
  const withTest = settings.test ?? catalogue.presets[0]?.config.test ?? null;
  if (usesTest({ name: rule } as Controller) || withTest?.name === 'norm') return withTest;
  return chooseTest({ ...settings, test: withTest }, 'norm', catalogue.defaults).test;
}

interface Room {
  initial: number;
  large: number;
  trainingSamples: number;
}

/** The rule's defaults, with sizes and places that the budget has room for. */
function fitted(rule: ControllerName, settings: RunConfig, { presets: [preset] }: Catalogue, { initial, large, trainingSamples }: Room): Controller {
  const controller = chooseController(settings, rule).controller;
  const budget = settings.sample_budget;
  const places = (...shares: number[]): number[] => [...new Set(shares.map((share) => Math.max(1, Math.round(share * budget))))];
  const everyEpochs = Math.max(1, Math.floor(budget / Math.max(1, trainingSamples) / (CHANGES + 1)));
  switch (controller.name) {
    case 'adadagrad':
      return preset?.config.controller.name === 'adadagrad' ? { ...preset.config.controller } : controller;
    case 'geometric':
    case 'dive_batch':
      return { ...controller, every_epochs: everyEpochs };
    case 'accordion':
      return { ...controller, small: initial, large: Math.max(initial, large) };
    case 'linear':
      return { ...controller, last_batch: Math.max(initial, large), over_samples: places(0.75)[0] ?? 1 };
    case 'stages': {
      const sizes = [initial * 4, initial * 16].map((size) => Math.min(settings.max_batch, size));
      return { ...controller, schedule: [`0:${initial}`, ...places(0.25, 0.5).map((place, index) => `${place}:${sizes[index] ?? initial}`)].join(' ') };
    }
    case 'smith':
    case 'seesaw':
      return { ...controller, milestones: places(0.4, 0.6, 0.8).join(' ') };
    default:
      return controller;
  }
}

/** What a reader of the table should know of the rule's settings. */
function describe({ controller, test, initial_batch: initial, sample_budget: budget }: RunConfig, trainingSamples: number): string {
  if (BY_EPOCHS.includes(controller.name) && budget <= trainingSamples) return 'decides at the end of an epoch, but the budget is at most one epoch';
  const threshold = thresholdOf(test);
  const starts = `starts at ${formatCount(initial)}`;
  switch (controller.name) {
    case 'constant':
      return '';
    case 'adadagrad':
      return threshold === null ? starts : `${starts}, ${threshold.symbol} = ${threshold.value}`;
    case 'geometric':
      return `${starts}, times ${controller.factor} once per ${controller.every_epochs === 1 ? 'epoch' : `${controller.every_epochs} epochs`}`;
    case 'dive_batch':
      return `${starts}, decides once per ${controller.every_epochs === 1 ? 'epoch' : `${controller.every_epochs} epochs`}`;
    case 'accordion':
      return `${formatCount(controller.small)} or ${formatCount(controller.large)}`;
    case 'linear':
      return `${starts}, ${formatCount(controller.last_batch)} after ${formatCount(controller.over_samples)} samples`;
    case 'stages':
      return controller.schedule;
    case 'smith':
    case 'seesaw':
      return `${starts}, milestones ${controller.milestones}`;
    default:
      return starts;
  }
}
