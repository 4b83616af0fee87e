/** The test, drawn: keeps the figure, its sentence and its legend in step with the page's step. */
import './figure.css';
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { element, isDisabled, setDisabled, setText } from '../dom.js';
import type { Moments } from '../moment.js';
import type { Pace } from '../pace.js';
import type { StepRecord } from '../protocol.js';
import { roomOn } from '../stage.js';
import { isLastStep } from '../state.js';
import type { PageState, ShownStep } from '../state.js';
import { Drawing } from './drawing.js';
import { between, pictureOf } from './geometry.js';
import type { Picture } from './geometry.js';
import type { Frame } from './layout.js';
import { svgElement } from './svg.js';
import { describeChange, describeShown, explain, legendOf, newestChange, observedOf } from './words.js';
import type { LegendEntry, SizeChange } from './words.js';

export interface FigureActions {
  /** Goes on (or begins) until the batch grows. */
  stepToGrowth(): void;
}

const MARGIN = 22;
const GROWTH_MILLISECONDS = 1000;

const reducedMotion = window.matchMedia('(prefers-reduced-motion: reduce)');

export class FigurePanel {
  readonly #state: PageState;
  readonly #stage = element('div', { class: 'figure-stage' });
  readonly #svg = svgElement('svg', { role: 'img', 'aria-labelledby': 'figure-sentence' });
  readonly #drawing = new Drawing(this.#svg);
  readonly #sentence = element('p', { id: 'figure-sentence', class: 'figure-sentence' });
  readonly #growth = element('p', { class: 'figure-growth' });
  readonly #legend = element('dl', { class: 'figure-legend' });
  readonly #observed = element('dl', { class: 'figure-observed' });
  readonly #observedHead = element('p', { class: 'figure-observed-head' }, 'Reported only: the batch sizes that these would require. They have no effect on the run.');
  readonly #explanation = element('p', { class: 'panel-note' });
  readonly #stepButton = element('button', { type: 'button', id: 'growth-button' }, 'Run until the batch grows');
  readonly #slowButton = element('button', { type: 'button', id: 'slow-button', 'aria-pressed': 'false' }, 'Slow motion');
  #shown: ShownStep | null = null;
  #picture: Picture | null = null;
  #newestChange: SizeChange | null = null;
  #newestStep: StepRecord | null = null;
  #animation: number | null = null;
  #width = 0;
  #height = 0;

  constructor(section: HTMLElement, state: PageState, moments: Moments, pace: Pace, actions: FigureActions) {
    this.#state = state;
    this.#stage.append(this.#svg);
    const buttons = element('div', { class: 'figure-buttons' }, this.#stepButton, this.#slowButton);
    const words = [this.#legend, this.#sentence, this.#growth, this.#observedHead, this.#observed, buttons, this.#explanation];
    section.append(this.#stage, element('div', { class: 'panel-more' }, ...words));
    this.#stepButton.addEventListener('click', () => {
      if (isDisabled(this.#stepButton)) return;
      // Whoever asks for this one step wants to hear what came of it.
      this.#sentence.setAttribute('aria-live', 'polite');
      actions.stepToGrowth();
    });
    this.#slowButton.addEventListener('click', () => pace.toggle());
    pace.slow.observe((slow) => this.#slowButton.setAttribute('aria-pressed', String(slow)));
    new ResizeObserver(() => this.#resize()).observe(this.#stage);
    moments.latest.observe(({ shown }) => this.#follow(shown));
    for (const part of [state.run, state.data, state.settingsProblem, state.settings]) part.observe(() => this.#refresh());
  }

  /** All the steps that were made, so that no change goes unnoticed between two drawings. */
  noteSteps(steps: readonly StepRecord[], configAt: (step: number) => RunConfig): void {
    this.#newestChange = newestChange(steps, this.#newestStep, configAt) ?? this.#newestChange;
    this.#newestStep = steps.at(-1) ?? this.#newestStep;
  }

  #refresh(): void {
    const { phase } = this.#state.run.value;
    const begins = phase === 'idle' || phase === 'finished' || phase === 'failed';
    const ready = this.#state.data.value.name === 'ready';
    setDisabled(this.#stepButton, !ready || phase === 'running' || (begins && this.#state.settingsProblem.value !== null));
    if (phase === 'idle') this.#newestChange = this.#newestStep = null;
    // While steps follow each other quickly, reading each of them out would drown everything else.
    if (phase === 'finished' || phase === 'idle') this.#sentence.removeAttribute('aria-live');
    if (this.#shown === null) this.#showNothing();
  }

  #follow(shown: ShownStep | null): void {
    if (shown !== null && shown === this.#shown) return;
    this.#stopAnimation();
    this.#shown = shown;
    setText(this.#growth, this.#newestChange === null ? '' : describeChange(this.#newestChange));
    if (shown === null) this.#showNothing();
    else this.#draw(shown);
  }

  #draw(shown: ShownStep): void {
    const { config: { test }, step } = shown;
    const picture = pictureOf(test, step);
    this.#picture = picture !== null && isLastStep(shown.config, step) ? { ...picture, next: null } : picture;
    this.#stage.dataset['step'] = String(step.step);
    setText(this.#sentence, describeShown(shown));
    setText(this.#explanation, explain(test));
    this.#showLegend(this.#picture === null ? [] : legendOf(shown, this.#picture));
    this.#showObserved(step);
    this.#drawMoment();
  }

  #showNothing(): void {
    this.#picture = null;
    delete this.#stage.dataset['step'];
    setText(this.#sentence, 'The first step will be drawn here.');
    setText(this.#explanation, explain(this.#state.settings.value?.test ?? null));
    this.#showLegend([]);
    this.#showObserved(null);
    this.#render(null);
  }

  /** Where the batch grows, the noise is seen to shrink from what was measured to what the next batch will have. */
  #drawMoment(): void {
    const picture = this.#picture;
    const next = picture?.next ?? null;
    if (picture === null || next === null || reducedMotion.matches) {
      this.#render(picture);
      return;
    }
    const begun = performance.now();
    const frame = (now: number): void => {
      const share = Math.min(1, Math.max(0, now - begun) / GROWTH_MILLISECONDS);
      this.#render({ ...picture, next: between(picture.noise, next, eased(share)) });
      this.#animation = share < 1 ? requestAnimationFrame(frame) : null;
    };
    frame(begun);
  }

  #stopAnimation(): void {
    if (this.#animation !== null) cancelAnimationFrame(this.#animation);
    this.#animation = null;
  }

  #resize(): void {
    const { width, height } = roomOn(this.#stage);
    if ((width === this.#width && height === this.#height) || width <= 0) return;
    [this.#width, this.#height] = [width, height];
    if (this.#animation === null) this.#render(this.#picture);
  }

  #render(picture: Picture | null): void {
    if (this.#width <= 0) return;
    const frame: Frame = { width: this.#width, height: this.#height, margin: MARGIN };
    this.#drawing.show(picture, frame, this.#shown?.config.test?.name === 'coordinate_norm' ? ' of its mean' : '');
  }

  #showObserved(step: StepRecord | null): void {
    const observed = step === null ? [] : observedOf(step);
    this.#observed.hidden = this.#observedHead.hidden = observed.length === 0;
    this.#observed.replaceChildren(...observed.map(({ name, value }) => element('div', {}, element('dt', {}, name), element('dd', {}, value))));
  }

  #showLegend(entries: LegendEntry[]): void {
    const rows = entries.map(({ mark, name, value }) =>
      element(
        'div',
        { class: `figure-entry figure-entry-${mark}` },
        element('dt', {}, name),
        element('dd', {}, value),
      ),
    );
    this.#legend.replaceChildren(...rows);
  }
}

/** Slow at the beginning, so that the eye finds the disc, and slow at the end. */
function eased(share: number): number {
  return share < 0.5 ? 4 * share ** 3 : 1 - (2 - 2 * share) ** 3 / 2;
}
