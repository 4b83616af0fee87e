/** What may be changed while a run is under way: sends it to the worker, and marks in the run where it took effect. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import type { TrainingSession } from '../session.js';
import { sameSettings } from '../state.js';
import type { PageState } from '../state.js';
import { whatChanged } from './differences.js';
import type { RunLibrary } from './library.js';

/** A number that is still being typed, or a slider on its way, is not sent at every stop. */
const PATIENCE_MILLISECONDS = 350;

export class Retuning {
  readonly #state: PageState;
  readonly #session: TrainingSession;
  #wanted: RunConfig | null = null;
  #timer: number | null = null;

  constructor(state: PageState, session: TrainingSession, library: RunLibrary, onNews: () => void) {
    this.#state = state;
    this.#session = session;
    session.listen('retuned', ({ retuned }) => {
      const before = state.run.value.config;
      const step = retuned.step - 1;
      if (before !== null) library.current?.addChange(step, retuned.config, whatChanged(before, retuned.config));
      state.run.value = { ...state.run.value, config: retuned.config };
      library.touch();
      onNews();
    });
    session.listen('refused-retune', ({ message }) => {
      state.notes.value = [...state.notes.value, `The settings of the run were not changed: ${message}`];
    });
  }

  /** The visitor changed settings by hand, from one to the other; the run follows as far as a run can. */
  follow(from: RunConfig, to: RunConfig): void {
    const { config, phase } = this.#state.run.value;
    if (config === null || (phase !== 'running' && phase !== 'paused')) return;
    const next = withChanges(this.#wanted ?? config, from, to);
    if (sameSettings(next, this.#wanted ?? config)) return;
    this.#wanted = next;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#send(), PATIENCE_MILLISECONDS);
  }

  #send(): void {
    const wanted = this.#wanted;
    this.#wanted = null;
    this.#timer = null;
    const { config, phase } = this.#state.run.value;
    if (wanted === null || config === null || (phase !== 'running' && phase !== 'paused')) return;
    if (this.#state.settingsProblem.value === null && !sameSettings(wanted, config)) this.#session.retune(wanted);
  }
}

/** The run's settings with those of the changes that a run can follow. */
function withChanges(run: RunConfig, from: RunConfig, to: RunConfig): RunConfig {
  const next = structuredClone(run);
  const keys = ['learning_rate', 'min_batch', 'max_batch', 'sample_budget', 'evaluate_every'] as const;
  for (const key of keys) if (from[key] !== to[key]) next[key] = to[key];
  if (JSON.stringify(from.schedule) !== JSON.stringify(to.schedule)) next.schedule = structuredClone(to.schedule);
  if (from.controller.name === 'adadagrad' && to.controller.name === 'adadagrad' && next.controller.name === 'adadagrad') {
    if (from.controller.growth_cap !== to.controller.growth_cap) next.controller.growth_cap = to.controller.growth_cap;
  }
  takeThresholds(next, from, to);
  return next;
}

function takeThresholds(next: RunConfig, from: RunConfig, to: RunConfig): void {
  if (next.test === null || from.test?.name !== next.test.name || to.test?.name !== next.test.name) return;
  const [before, after] = [from.test as unknown as Record<string, unknown>, to.test as unknown as Record<string, unknown>];
  const test = next.test as unknown as Record<string, unknown>;
  for (const key of ['eta', 'theta', 'nu']) if (key in test && before[key] !== after[key]) test[key] = after[key];
}
