/** Look inside: what a network for images makes of a drawing, where it errs, and what its first layer looks for. */
import './look.css';
import { classNames, drawingTitle } from '../classes.js';
import { onColourChange } from '../colours.js';
import { element, setText } from '../dom.js';
import { formatCount, formatPercent } from '../format.js';
import { readNumber } from '../numbers.js';
import type { LookReport } from '../protocol.js';
import type { TrainingSession } from '../session.js';
import { describeImages, isLikeMnist, isSequence, MNIST_SHAPE, sameShape } from '../samples.js';
import { classNamesOf, datasetOf, shapeOf } from '../state.js';
import type { PageState, RunState } from '../state.js';
import { whileVisible } from '../visibility.js';
import { ConfusedPairs } from './confused-pairs.js';
import { ConfusionTable } from './confusion.js';
import { DrawingPad } from './drawing-pad.js';
import { Filters } from './filters.js';
import { Mistakes } from './mistakes.js';
import { Probabilities } from './probabilities.js';
import { Repeatedly } from './repeatedly.js';
import { paintThumbnail, resizeThumbnail, thumbnail } from './thumbnail.js';

/** Each answer costs the training worker a moment. */
const CLASSIFY_MILLISECONDS = 250;
const FILTERS_MILLISECONDS = 2000;
const NO_RUN_YET = 'Start a run, and the network will classify the picture.';
/** A table of more classes would be larger than any screen. */
const MOST_IN_TABLE = 26;
const FROM_PAD =
  'The network’s input: the drawing scaled to 20 × 20 pixels and centred by its centre of mass in 28 × 28 pixels, as in MNIST.';

export class LookPanel {
  readonly #state: PageState;
  readonly #session: TrainingSession;
  readonly #root = element('div');
  readonly #drawingTitle = element('h3', {}, drawingTitle('mnist', MNIST_SHAPE));
  readonly #pad: DrawingPad;
  readonly #seen = thumbnail(84);
  readonly #probabilities: Probabilities;
  readonly #summary = element('p', { class: 'look-summary' });
  readonly #mistakes: Mistakes;
  readonly #confusion: ConfusionTable;
  readonly #pairs = new ConfusedPairs();
  readonly #matrixTitle = element('h4');
  readonly #mistakesHint = element('p', { class: 'field-hint' });
  readonly #padSide = element('div', { class: 'look-pad' });
  readonly #answerSide = element('div', { class: 'look-answer' });
  readonly #padOnly: HTMLElement[];
  readonly #pickLabel = element('label', { for: 'test-sample' });
  readonly #seenCaption = element('figcaption', {}, FROM_PAD);
  readonly #seenFigure = element('figure', { class: 'pad-seen' }, this.#seen, this.#seenCaption);
  readonly #filters = new Filters();
  readonly #sample = element('input', {
    id: 'test-sample',
    type: 'text',
    inputmode: 'numeric',
    autocomplete: 'off',
    value: '0',
    'aria-describedby': 'test-sample-mistake',
  });
  readonly #sampleMistake = element('p', { id: 'test-sample-mistake', class: 'field-mistake', role: 'status' });
  readonly #classifying = new Repeatedly(CLASSIFY_MILLISECONDS, () => this.#classify());
  readonly #filtering = new Repeatedly(FILTERS_MILLISECONDS, () => this.#showFilters());
  #report: LookReport | null = null;
  #pixels: Uint8Array | null = null;
  #names = classNames('mnist');
  #shape = MNIST_SHAPE;
  /** A ready image where there is no pad to show it on. */
  #image: Uint8Array | null = null;
  /** The phase and the step that are shown. */
  #moment = '';

  constructor(section: HTMLElement, state: PageState, session: TrainingSession) {
    this.#state = state;
    this.#session = session;
    this.#pad = new DrawingPad(() => this.#classifying.request());
    this.#probabilities = new Probabilities(this.#names);
    this.#mistakes = new Mistakes((pixels) => this.#put(pixels));
    this.#confusion = new ConfusionTable(this.#names);
    const clear = element('button', { type: 'button', id: 'pad-clear' }, 'Clear');
    clear.addEventListener('click', () => this.#pad.clear());
    this.#padOnly = [this.#pad.root, clear];
    this.#root.append(this.#createDrawingPart(clear), this.#createTestPart(), this.#createFilterPart());
    section.append(this.#root);
    session.listen('look', (report) => this.#takeLook(report));
    state.run.observe((run) => this.#follow(run));
    state.settings.observe(() => this.#rename());
    state.data.observe(({ name }) => {
      this.#rename();
      if (name === 'ready') this.#putFirst();
    });
    this.#suit();
    onColourChange(() => this.#recolour());
    whileVisible(section, (visible) => {
      this.#classifying.allow(visible);
      this.#filtering.allow(visible);
      session.setLook(visible);
    });
    this.#forget();
    this.#tellSampleMistake(null);
  }

  #createDrawingPart(clear: HTMLElement): HTMLElement {
    const fetchButton = element('button', { type: 'button', id: 'test-sample-button' }, 'Show');
    const pick = element(
      'form',
      { class: 'pad-pick' },
      this.#pickLabel,
      this.#sample,
      fetchButton,
      this.#sampleMistake,
    );
    pick.addEventListener('submit', (event) => event.preventDefault());
    fetchButton.addEventListener('click', () => void this.#putChosenImage());
    const tools = element('div', { class: 'pad-tools' }, clear, pick);
    this.#padSide.append(this.#pad.root, tools);
    this.#answerSide.append(this.#probabilities.root, this.#seenFigure);
    return part(this.#drawingTitle, 'look-draw', element('div', { class: 'look-pair' }, this.#padSide, this.#answerSide));
  }

  #createTestPart(): HTMLElement {
    const wrong = element(
      'div',
      {},
      element('h4', {}, 'Most confident mistakes'),
      this.#mistakesHint,
      this.#mistakes.root,
    );
    const matrix = element('div', {}, this.#matrixTitle, this.#confusion.root, this.#pairs.root);
    const pair = element('div', { class: 'look-pair' }, wrong, matrix);
    return part(element('h3', {}, 'The test images'), 'look-test', this.#summary, pair);
  }

  #createFilterPart(): HTMLElement {
    return part(element('h3', {}, 'Weights of the first layer'), 'look-filters', this.#filters.root);
  }

  #follow({ phase, latestStep }: RunState): void {
    const moment = `${phase} ${latestStep?.step ?? 0}`;
    if (moment === this.#moment) return;
    this.#moment = moment;
    if (phase === 'idle') {
      this.#forget();
      return;
    }
    this.#rename();
    if (isSequence(this.#shape)) return;
    if (this.#report === null) setText(this.#summary, 'Classifying the test images…');
    this.#classifying.request();
    this.#filtering.request();
  }

  get #idle(): boolean {
    return this.#state.run.value.phase === 'idle';
  }

  /** Without a run there are no parameters to look with. */
  #forget(): void {
    this.#report = null;
    setText(this.#summary, 'Start a run, and the network will classify all test images as it learns.');
    this.#probabilities.clear(NO_RUN_YET);
    this.#mistakes.clear();
    this.#confusion.clear();
    this.#pairs.clear();
    this.#filters.clear();
  }

  #rename(): void {
    setText(this.#drawingTitle, drawingTitle(datasetOf(this.#state), this.#shape));
    const names = classNamesOf(this.#state);
    const shape = shapeOf(this.#state);
    if (!sameShape(shape, this.#shape)) {
      this.#shape = shape;
      this.#image = null;
      this.#pad.clear();
      this.#suit();
    }
    if (names === this.#names) return;
    this.#names = names;
    this.#probabilities.rename(names);
    if (names.length <= MOST_IN_TABLE) this.#confusion.rename(names);
  }

  /** What there is to see depends on what the images are. */
  #suit(): void {
    this.#root.hidden = isSequence(this.#shape);
    if (this.#root.hidden) return;
    const draws = this.#draws;
    setText(this.#drawingTitle, drawingTitle(datasetOf(this.#state), this.#shape));
    for (const part of this.#padOnly) part.hidden = !draws;
    resizeThumbnail(this.#seen, draws ? 84 : 224);
    if (draws) this.#answerSide.append(this.#seenFigure);
    else this.#padSide.prepend(this.#seenFigure);
    paintThumbnail(this.#seen, null, this.#shape);
    setText(this.#pickLabel, draws ? 'Or pick a test image by number' : 'Pick a test image by number');
    setText(this.#seenCaption, draws ? FROM_PAD : `The network’s input: ${describeImages(this.#shape)}.`);
    setText(
      this.#mistakesHint,
      draws ? 'Press one to copy it to the pad and see whether the network learns it.' : 'Press one to see whether the network learns it.',
    );
    this.#mistakes.advise(draws ? 'Copy it to the pad' : 'Show it above');
    const hasTable = this.#shape.classes <= MOST_IN_TABLE;
    setText(this.#matrixTitle, hasTable ? 'Confusion matrix' : 'Classes confused most often');
    this.#confusion.root.hidden = !hasTable;
    this.#pairs.root.hidden = hasTable;
  }

  /** Whether there is a pad to draw on. */
  get #draws(): boolean {
    return isLikeMnist(this.#shape);
  }

  async #classify(): Promise<void> {
    this.#pixels = this.#draws ? this.#pad.pixels() : this.#image;
    paintThumbnail(this.#seen, this.#pixels, this.#shape);
    if (this.#pixels === null || this.#idle) {
      this.#probabilities.clear(this.#idle ? NO_RUN_YET : this.#draws ? 'Nothing has been drawn yet.' : 'No test image has been picked yet.');
      return;
    }
    const answer = await this.#session.classify(this.#pixels);
    // The run may be gone by the time the answer is here.
    if (answer?.probabilities == null || this.#idle) return;
    this.#probabilities.show(answer.probabilities, this.#names);
  }

  #put(pixels: Uint8Array): void {
    if (this.#draws) {
      this.#pad.show(pixels);
      return;
    }
    this.#image = pixels;
    paintThumbnail(this.#seen, pixels, this.#shape);
    this.#classifying.request();
  }

  /** Shows the test image whose number was typed, or says why there is none. */
  async #putChosenImage(): Promise<void> {
    const { value, mistake } = readNumber(this.#sample.value, { whole: true });
    if (value === null) {
      this.#tellSampleMistake(mistake);
      return;
    }
    const { data } = this.#state;
    if (data.value.name !== 'ready') {
      this.#tellSampleMistake('The test images are not loaded yet.');
      return;
    }
    const { testSamples } = data.value;
    if (value >= testSamples) {
      this.#tellSampleMistake(`There are ${formatCount(testSamples)} test images: enter a number from 0 to ${formatCount(testSamples - 1)}.`);
      return;
    }
    const answer = await this.#session.testImage(value);
    const pixels = answer?.pixels ?? null;
    this.#tellSampleMistake(pixels === null ? 'This image is not available right now.' : null);
    if (pixels !== null) this.#put(pixels);
  }

  #tellSampleMistake(mistake: string | null): void {
    setText(this.#sampleMistake, mistake ?? '');
    this.#sampleMistake.hidden = mistake === null;
    if (mistake === null) this.#sample.removeAttribute('aria-invalid');
    else this.#sample.setAttribute('aria-invalid', 'true');
  }

  /** A test image of the data at hand, so that there is something to see, unless the visitor has drawn. */
  #putFirst(): void {
    if (!this.#pad.holdsDrawing && !isSequence(this.#shape)) void this.#putChosenImage();
  }

  #takeLook(report: LookReport): void {
    this.#report = report;
    const { look, images } = report;
    const wrong = look.samples - look.correct;
    setText(
      this.#summary,
      `After step ${formatCount(look.step)}, ${formatCount(look.correct)} of ${formatCount(look.samples)} test images are classified correctly ` +
        `(${formatPercent(look.correct / look.samples)}), ${formatCount(wrong)} incorrectly.`,
    );
    this.#mistakes.show(look.mistakes, images, this.#shape, this.#names);
    this.#showConfusion(look.confusion);
  }

  async #showFilters(): Promise<void> {
    const answer = await this.#session.parameters();
    if (answer?.values == null || this.#idle) return;
    if (answer.model !== null) this.#filters.show(answer.values, answer.model, this.#shape, this.#names);
  }

  #showConfusion(counts: readonly number[]): void {
    if (this.#confusion.root.hidden) this.#pairs.show(counts, this.#names);
    else this.#confusion.show(counts);
  }

  #recolour(): void {
    paintThumbnail(this.#seen, this.#pixels, this.#shape);
    this.#mistakes.recolour();
    this.#filters.recolour();
    if (this.#report !== null) this.#showConfusion(this.#report.look.confusion);
  }
}

function part(title: HTMLElement, name: string, ...content: Node[]): HTMLElement {
  return element('div', { class: `look-part ${name}` }, title, ...content);
}
