/** “Show me”: plays the scenes. Each begins a run of its own, and is told when that has come to its telling moment. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { Observable } from '../observable.js';
import type { Pace } from '../pace.js';
import type { ComparisonCourse } from '../runs/comparison-course.js';
import type { RunConductor } from '../runs/conductor.js';
import type { RunLibrary } from '../runs/library.js';
import type { TrainedRun } from '../runs/trained-run.js';
import { isOfText, isSequence } from '../samples.js';
import type { HorizontalAxis, PageState } from '../state.js';
import { SCENES } from './scenes.js';
import type { ComparedScene, Props, Scene, SingleScene } from './scenes.js';

/** Slow enough to look at both pictures. */
const MILLISECONDS_PER_STEP = 900;

export interface Playing {
  scene: Scene;
  /** The sentence of its telling moment; null before that. */
  told: string | null;
  /** A sentence about the run that ended for it; else empty. */
  ended: string;
}

interface Parts {
  state: PageState;
  conductor: RunConductor;
  comparisons: ComparisonCourse;
  library: RunLibrary;
  pace: Pace;
  /** Settings that suit the data at hand. */
  fitted: (config: RunConfig) => RunConfig;
  /** Ends the run at hand as the Reset button does. */
  reset: () => void;
}

export class Guide {
  /** Null: it is closed. */
  readonly playing = new Observable<Playing | null>(null);
  readonly #parts: Parts;
  /** What the scene is played with, once it has begun. */
  #props: Props | null = null;
  /** Of the newest scene: an earlier one gives way to it. */
  #opening = 0;
  /** The page as the visitor left it for the scenes. */
  #before: { axis: HorizontalAxis; drawn: readonly TrainedRun[] } | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.state.data.observe(() => this.#begin());
    parts.state.run.observe(() => this.#followRun());
    parts.comparisons.course.observe(() => this.#followComparison());
  }

  async open(scene: Scene): Promise<void> {
    const opening = (this.#opening += 1);
    const isFirst = this.playing.value === null;
    // A scene's own runs are not kept, the visitor's are.
    const ended = isFirst ? await this.#parts.conductor.keepRun() : '';
    if (opening !== this.#opening) return;
    if (isFirst) this.#remember();
    else this.#clear();
    this.#props = null;
    this.playing.value = { scene, told: null, ended };
    this.#begin();
  }

  /** To the next scene, or the one before; null where there is none. */
  neighbour(by: 1 | -1): Scene | null {
    const { value: playing } = this.playing;
    return playing === null ? null : (SCENES[SCENES.indexOf(playing.scene) + by] ?? null);
  }

  close(): void {
    if (this.playing.value === null) return;
    this.#opening += 1;
    this.#clear();
    this.#props = null;
    this.#restore();
    this.playing.value = null;
  }

  /** Nothing of a scene stays among the visitor's runs. */
  #clear(): void {
    const { comparisons, library, reset, pace } = this.#parts;
    const { value: playing } = this.playing;
    pace.hold(null);
    if (this.#props === null) return;
    const { current } = library;
    // Also ends a comparison that is about to begin.
    reset();
    if (playing?.scene.kind === 'single' && current !== null) library.drop(current);
    if (comparisons.course.value?.comparison.id === playing?.scene.name) comparisons.discard(true);
  }

  #remember(): void {
    const { state, library } = this.#parts;
    this.#before = { axis: state.horizontalAxis.value, drawn: library.runs.filter((run) => run.shown) };
  }

  #restore(): void {
    const { state, library } = this.#parts;
    if (this.#before === null) return;
    for (const run of library.runs) run.shown = this.#before.drawn.includes(run);
    library.touch();
    state.horizontalAxis.value = this.#before.axis;
    this.#before = null;
  }

  /** As soon as there are data. */
  #begin(): void {
    const { value: playing } = this.playing;
    const { data, catalogue, settings } = this.#parts.state;
    if (playing === null || this.#props !== null || data.value.name !== 'ready' || catalogue.value === null || settings.value === null) return;
    const { shape, dataset, trainingSamples } = data.value;
    const { presets } = catalogue.value;
    const preset = presets.find(({ config }) => isOfText(config) === isSequence(shape)) ?? presets[0];
    if (preset === undefined) return;
    const config = this.#parts.fitted({ ...structuredClone(preset.config), dataset });
    this.#props = { config, catalogue: catalogue.value, shape, trainingSamples };
    if (playing.scene.kind === 'single') this.#beginSingle(playing.scene, config);
    else this.#beginComparison(playing.scene, this.#props);
  }

  #beginSingle({ title }: SingleScene, config: RunConfig): void {
    const { comparisons, conductor, pace } = this.#parts;
    comparisons.interrupt();
    pace.hold(MILLISECONDS_PER_STEP);
    conductor.begin({ stop: { steps: 1 }, name: title }, config);
  }

  #beginComparison({ name, title, axis, variants }: ComparedScene, props: Props): void {
    this.#parts.state.horizontalAxis.value = axis;
    void this.#parts.comparisons.start({ id: name, title, hint: '', variants: () => variants(props) });
  }

  #followRun(): void {
    const { value: playing } = this.playing;
    const { phase, latestStep } = this.#parts.state.run.value;
    if (playing?.scene.kind !== 'single' || playing.told !== null || this.#props === null || latestStep === null) return;
    if (phase === 'finished' || (phase === 'paused' && playing.scene.isTold(latestStep))) this.#tell(playing.scene.tell(latestStep, this.#props));
    else if (phase === 'paused') queueMicrotask(() => this.#parts.conductor.pressStep({ steps: 1 }));
  }

  #followComparison(): void {
    const { value: playing } = this.playing;
    const { comparisons } = this.#parts;
    const course = comparisons.course.value;
    if (playing?.scene.kind !== 'compared' || playing.told !== null || this.#props === null) return;
    if (course?.comparison.id === playing.scene.name && course.phase === 'finished') this.#tell(playing.scene.tell(comparisons.runs, this.#props));
  }

  #tell(told: string): void {
    const { value: playing } = this.playing;
    if (playing !== null) this.playing.value = { ...playing, told };
  }
}
