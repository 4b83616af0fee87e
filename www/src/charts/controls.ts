/** What goes for all charts: the horizontal axis, smoothing, other thresholds, and where the cursor stands. */
import { required, setText } from '../dom.js';
import { formatCount, formatMeasure } from '../format.js';
import type { RunLibrary } from '../runs/library.js';
import { lastAtMost } from '../runs/step-log.js';
import type { TrainedRun } from '../runs/trained-run.js';
import { HORIZONTAL_AXES } from '../state.js';
import type { PageState } from '../state.js';
import { X_COLUMNS } from './run-view.js';

export class ChartControls {
  readonly #state: PageState;
  readonly #library: RunLibrary;
  readonly #smoothing = required('smoothing', HTMLInputElement);
  readonly #smoothingValue = required('smoothing-value', HTMLOutputElement);
  readonly #thresholds = required('thresholds', HTMLInputElement);
  readonly #cursor = required('cursor-readout', HTMLElement);

  constructor(state: PageState, library: RunLibrary) {
    this.#state = state;
    this.#library = library;
    // The charts', and the comparison's.
    for (const prefix of ['axis', 'comparison-axis']) this.#listenToAxis(prefix);
    this.#smoothing.addEventListener('input', () => (state.smoothing.value = Number(this.#smoothing.value)));
    this.#thresholds.addEventListener('change', () => (state.thresholds.value = this.#thresholds.checked));
    state.smoothing.observe((strength) => {
      if (Number(this.#smoothing.value) !== strength) this.#smoothing.value = String(strength);
      setText(this.#smoothingValue, strength === 0 ? 'off' : String(strength));
    });
    state.thresholds.observe((on) => (this.#thresholds.checked = on));
  }

  /** Names the step of the leading run at the cursor; while no run goes on, the whole page speaks of it. */
  showCursor(x: number | null): void {
    const run = this.#library.leading;
    if (x === null || run === null) {
      setText(this.#cursor, '');
      if (run !== null) this.#speakOf(run, run.log.length - 1);
      return;
    }
    const column = run.log.column(X_COLUMNS[this.#state.horizontalAxis.value]);
    const row = Math.max(0, lastAtMost(column, x));
    this.#speakOf(run, row);
    const { log } = run;
    const seconds = formatMeasure(log.value('elapsed', row) ?? 0);
    setText(
      this.#cursor,
      `${run.name}, step ${formatCount(log.value('step', row) ?? 0)}: ${formatCount(log.value('samples_seen', row) ?? 0)} samples seen, ${seconds} s`,
    );
  }

  #speakOf(run: TrainedRun, row: number): void {
    const { run: present, shownStep } = this.#state;
    const step = run.log.value('step', row);
    if (present.value.phase === 'running' || step === null || step === shownStep.value?.step.step) return;
    shownStep.value = { config: run.configAt(step), step: run.log.record(row), recorded: run.recorded };
  }

  #listenToAxis(prefix: string): void {
    const { horizontalAxis } = this.#state;
    for (const axis of HORIZONTAL_AXES) {
      const radio = required(`${prefix}-${axis}`, HTMLInputElement);
      radio.addEventListener('change', () => {
        if (radio.checked) horizontalAxis.value = axis;
      });
      horizontalAxis.observe((chosen) => (radio.checked = chosen === axis));
    }
  }
}
