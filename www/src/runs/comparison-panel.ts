/** The buttons that start a comparison, and those of the one that is shown: stop, continue, discard. */
import { element, onPress, required, setDisabled, setText } from '../dom.js';
import { isOfRun } from '../state.js';
import type { PageState } from '../state.js';
import type { ComparisonCourse, Course } from './comparison-course.js';
import { COMPARISONS, race } from './comparisons.js';
import type { RaceRules } from './race-rules.js';

export class ComparisonPanel {
  readonly #state: PageState;
  readonly #course: ComparisonCourse;
  readonly #rules: RaceRules;
  readonly #note = required('comparison-note', HTMLElement);
  /** What the document says there. */
  readonly #introduction = this.#note.textContent?.trim() ?? '';
  readonly #race = required('race-button', HTMLButtonElement);
  readonly #root = required('comparison', HTMLElement);
  readonly #title = required('comparison-title', HTMLElement);
  readonly #stop = required('comparison-stop', HTMLButtonElement);
  readonly #discard = required('comparison-discard', HTMLButtonElement);
  readonly #buttons: HTMLButtonElement[] = [this.#race];

  constructor(state: PageState, course: ComparisonCourse, rules: RaceRules) {
    this.#state = state;
    this.#course = course;
    this.#rules = rules;
    const container = required('comparisons', HTMLElement);
    for (const comparison of COMPARISONS) {
      const button = element('button', { type: 'button', id: `compare-${comparison.id}`, title: comparison.hint }, comparison.title);
      onPress(button, () => void course.start(comparison));
      this.#buttons.push(button);
      container.append(button);
    }
    onPress(this.#race, () => this.#startRace());
    onPress(this.#stop, () => this.#stopOrContinue());
    onPress(this.#discard, () => course.discard());
    for (const part of [state.data, state.settingsProblem, state.trouble, rules.chosen]) part.observe(() => this.#showButtons());
    course.course.observe((now) => this.#show(now));
  }

  #startRace(): void {
    const { data } = this.#state;
    if (data.value.name === 'ready') void this.#course.start(race(this.#rules.chosen.value, data.value.trainingSamples));
  }

  #stopOrContinue(): void {
    if (this.#course.course.value?.phase === 'running') this.#course.stop();
    else void this.#course.continue();
  }

  #show(course: Course | null): void {
    this.#root.hidden = course === null;
    setText(this.#note, course === null ? this.#introduction : describe(course));
    if (course === null) return;
    setText(this.#title, course.comparison.title);
    setText(this.#stop, course.phase === 'running' ? 'Stop' : 'Continue');
    setDisabled(this.#stop, course.phase === 'finished');
  }

  #showButtons(): void {
    const { data, settingsProblem, trouble } = this.#state;
    const unusable = trouble.value !== null && !isOfRun(trouble.value);
    const disabled = data.value.name !== 'ready' || settingsProblem.value !== null || unusable;
    for (const button of this.#buttons) setDisabled(button, disabled || (button === this.#race && this.#rules.chosen.value.length < 2));
  }
}

function describe({ comparison, entries, phase, ended }: Course): string {
  const made = entries.filter(({ state }) => state !== 'refused');
  const names = made.map(({ variant }) => variant.name).join('; ');
  switch (phase) {
    case 'running':
    case 'paused': {
      const index = made.findIndex(({ state }) => state === 'running');
      const beginning = phase === 'paused' ? 'Stopped at run' : 'Run';
      return `${beginning} ${index + 1} of ${made.length}: ${made[index]?.variant.name ?? ''}. ${comparison.hint} ${ended}`.trim();
    }
    case 'stopped':
      return 'The comparison was stopped; its runs so far are listed below. Press Continue to run the others.';
    case 'finished':
      return made.length === 0 ? 'No run could start: the table says why.' : `Compared: ${names}. ${comparison.hint}`;
  }
}
