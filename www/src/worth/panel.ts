/** “Was it worth it?”: what a step costs here, what growing the batch saved, and who was first in a comparison. */
import { required, setText } from '../dom.js';
import type { ComparisonCourse } from '../runs/comparison-course.js';
import type { RunLibrary } from '../runs/library.js';
import type { PageState } from '../state.js';
import { stepCost } from './step-cost.js';
import { describeCost, describeDearerSteps, describeFirst, describeSaving } from './words.js';

export class WorthPanel {
  readonly #library: RunLibrary;
  readonly #comparisons: ComparisonCourse;
  readonly #measured = required('worth-measured', HTMLElement);
  readonly #compared = required('worth-compared', HTMLElement);
  #shownPhase = '';

  constructor(state: PageState, library: RunLibrary, comparisons: ComparisonCourse) {
    this.#library = library;
    this.#comparisons = comparisons;
    // Within a run the numbers would only flicker.
    state.run.observe(({ phase }) => {
      if (phase !== this.#shownPhase && phase !== 'running') this.#show();
      this.#shownPhase = phase;
    });
    comparisons.course.observe(() => this.#show());
  }

  #show(): void {
    const { current } = this.#library;
    const cost = current === null ? null : stepCost(current.log);
    setText(this.#measured, current === null || cost === null ? '' : `${describeCost(current, cost)} ${describeSaving(current, cost)}`.trim());
    const course = this.#comparisons.course.value;
    const runs = course?.phase === 'finished' ? this.#comparisons.runs.filter((run) => run.log.length > 0) : [];
    setText(this.#compared, `${describeFirst(runs)} ${describeDearerSteps(runs)}`.trim());
  }
}
