/** What may be changed while a run is under way: sends it to the worker, and marks in the run where it took effect. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import type { TrainingSession } from '../session.js';
import { rowsOf } from '../settings/rows.js';
import type { Choice, Row } from '../settings/rows.js';
import { CONTROLLER_ROWS, RUN_ROWS, TEST_ROWS } from '../settings/table.js';
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
  takeChanges(RUN_ROWS, next, from, to);
  if (JSON.stringify(from.schedule) !== JSON.stringify(to.schedule)) next.schedule = structuredClone(to.schedule);
  takeFromPart(CONTROLLER_ROWS, next.controller, from.controller, to.controller);
  takeFromPart(TEST_ROWS, next.test, from.test, to.test);
  return next;
}

type Part = { name: string } | null;

/** Of a part that is the same in all of them. */
function takeFromPart(choices: readonly Choice[], next: Part, from: Part, to: Part): void {
  if (next === null || from === null || to === null || from.name !== next.name || to.name !== next.name) return;
  takeChanges(rowsOf(choices, next.name), next, from, to);
}

function takeChanges(rows: readonly Row[], next: object, from: object, to: object): void {
  const [target, before, after] = [next, from, to].map((settings) => settings as Record<string, unknown>);
  if (target === undefined || before === undefined || after === undefined) return;
  for (const { name } of rows.filter(({ retunable }) => retunable)) {
    if (before[name] !== after[name]) target[name] = after[name];
  }
}
