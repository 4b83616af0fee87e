/** Three sliders for what can be turned while the run goes on: the threshold, the learning rate, the largest batch. */
import type { BatchTest, RunConfig } from '../../pkg/adadagrad_web.js';
import { element, required, setText } from '../dom.js';
import { formatCount } from '../format.js';
import { thresholdOf } from '../runs/thresholds.js';
import type { PageState } from '../state.js';
import { OPTIMIZERS } from './choices.js';

interface Knob {
  id: string;
  label: (config: RunConfig) => string;
  /** Null: these settings have no such thing. */
  read: (config: RunConfig) => number | null;
  write: (config: RunConfig, value: number) => RunConfig;
  range: (config: RunConfig) => [number, number];
  round: (value: number) => number;
}

/** A slider's own steps; what it means goes by factors. */
const STEPS = 200;

const KNOBS: readonly Knob[] = [
  {
    id: 'threshold',
    label: ({ test }) => `Threshold ${thresholdOf(test)?.symbol ?? 'η'}`,
    read: ({ test }) => thresholdOf(test)?.value ?? null,
    write: (config, value) => {
      const own = thresholdOf(config.test);
      return own === null ? config : { ...config, test: { ...config.test, [own.key]: value } as BatchTest };
    },
    range: ({ test }) => (test?.name === 'orthogonality' ? [0.5, 50] : [0.05, 5]),
    round: twoDigits,
  },
  {
    id: 'learning-rate',
    label: () => 'Learning rate',
    read: (config) => config.learning_rate,
    write: (config, value) => ({ ...config, learning_rate: value }),
    range: ({ optimizer }) => [OPTIMIZERS[optimizer.name].learningRate / 50, OPTIMIZERS[optimizer.name].learningRate * 20],
    round: twoDigits,
  },
  {
    id: 'largest-batch',
    label: () => 'Largest batch',
    read: ({ controller, max_batch }) => (controller.name === 'constant' ? null : max_batch),
    write: (config, value) => ({ ...config, max_batch: Math.max(value, config.initial_batch, config.min_batch) }),
    range: () => [8, 60_000],
    round: (value) => Math.min(60_000, value < 100 ? Math.round(value) : Number(value.toPrecision(2))),
  },
];

export class Knobs {
  readonly #state: PageState;
  readonly #onTurn: (next: RunConfig) => void;

  /** `onTurn` is given the settings with the value turned to. */
  constructor(state: PageState, onTurn: (next: RunConfig) => void) {
    this.#state = state;
    this.#onTurn = onTurn;
    const container = required('knobs', HTMLElement);
    for (const knob of KNOBS) container.append(this.#create(knob));
  }

  #create(knob: Knob): HTMLElement {
    const label = element('label', { for: `knob-${knob.id}` });
    const slider = element('input', { id: `knob-${knob.id}`, type: 'range', min: '0', max: String(STEPS), step: '1' });
    const output = element('output', { for: slider.id });
    const root = element('div', { class: 'knob' }, label, slider, output);
    slider.addEventListener('input', () => {
      const config = this.#state.settings.value;
      if (config !== null) this.#onTurn(knob.write(config, knob.round(valueAt(Number(slider.value), knob.range(config)))));
    });
    this.#state.settings.observe((config) => {
      const value = config === null ? null : knob.read(config);
      root.hidden = value === null;
      if (config === null || value === null) return;
      setText(label, knob.label(config));
      const words = value >= 1000 ? formatCount(value) : String(value);
      setText(output, words);
      slider.setAttribute('aria-valuetext', words);
      // The slider stays where it was put while it says the same: rounding must not tug at it.
      if (knob.round(valueAt(Number(slider.value), knob.range(config))) !== value) slider.value = String(stepOf(value, knob.range(config)));
    });
    return root;
  }
}

function valueAt(step: number, [low, high]: [number, number]): number {
  return low * (high / low) ** (step / STEPS);
}

function stepOf(value: number, [low, high]: [number, number]): number {
  return Math.round((STEPS * Math.log(value / low)) / Math.log(high / low));
}

function twoDigits(value: number): number {
  return Number(value.toPrecision(2));
}
