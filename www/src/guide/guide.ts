/** Plays the scenes of “Show me”: begins the runs of each, and shows its sentence once they have reached the step that makes the point. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { Observable } from '../observable.js';
import type { Pace } from '../pace.js';
import type { ComparisonCourse, Course } from '../runs/comparison-course.js';
import type { RunConductor } from '../runs/conductor.js';
import type { RunLibrary } from '../runs/library.js';
import type { TrainedRun } from '../runs/trained-run.js';
import { isOfText, isSequence } from '../samples.js';
import type { HorizontalAxis, PageState } from '../state.js';
import { SCENES, shortened } from './scenes.js';
import type { ComparedScene, Scene, SceneInputs, SingleScene } from './scenes.js';

/** Slow enough to look at both pictures. */
const MILLISECONDS_PER_STEP = 700;
const NOT_TOLD = 'The runs of this scene did not come to their end.';

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
  /** Settings that suit the data at hand; what the visitor asked for is another matter. */
  fitted: (config: RunConfig) => RunConfig;
  /** It was closed. */
  onClose: () => void;
}

/** The page as the visitor left it for the scenes. */
interface Before {
  axis: HorizontalAxis;
  runs: readonly TrainedRun[];
  drawn: readonly TrainedRun[];
  course: Course | null;
}

export class Guide {
  /** Null: it is closed. */
  readonly playing = new Observable<Playing | null>(null);
  readonly #parts: Parts;
  /** What the scene is played with, once it has begun. */
  #inputs: SceneInputs | null = null;
  /** The run of a single scene. */
  #run: TrainedRun | null = null;
  #before: Before | null = null;
  /** Of the newest scene: an earlier one gives way to it. */
  #opening = 0;
  #nextStep: number | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    parts.state.data.observe(({ name }) => {
      // A scene that was interrupted by other data, or by a program that broke down, begins again with them.
      if (name !== 'ready' && this.playing.value?.told === null) this.#inputs = null;
      this.#begin();
    });
    parts.state.run.observe(() => this.#followRun());
    parts.comparisons.course.observe(() => this.#followComparison());
    document.addEventListener('visibilitychange', () => this.#followRun());
  }

  async open(scene: Scene): Promise<void> {
    const { conductor, comparisons, library, pace } = this.#parts;
    const opening = (this.#opening += 1);
    comparisons.interrupt();
    // A scene's own runs are not kept, the visitor's are.
    const ended = library.current?.transient === true ? '' : await conductor.keepRun();
    if (opening !== this.#opening) return;
    this.#clear();
    conductor.pressReset();
    pace.override();
    this.playing.value = { scene, told: null, ended };
    this.#begin();
  }

  /** The next scene, or the one before; null where there is none. */
  neighbour(by: 1 | -1): Scene | null {
    const { value: playing } = this.playing;
    return playing === null ? null : (SCENES[SCENES.indexOf(playing.scene) + by] ?? null);
  }

  close(): void {
    if (this.playing.value === null) return;
    this.#opening += 1;
    this.#clear();
    this.#restore();
    this.#parts.pace.release();
    this.playing.value = null;
    this.#parts.onClose();
  }

  /** Nothing of a scene stays among the visitor's runs. */
  #clear(): void {
    const { comparisons, conductor, library } = this.#parts;
    if (this.#nextStep !== null) clearTimeout(this.#nextStep);
    this.#nextStep = null;
    this.#inputs = null;
    this.#run = null;
    if (this.#before !== null) comparisons.replace(this.#before.course);
    if (library.current?.transient === true) conductor.pressReset();
    for (const run of library.runs.filter(({ transient }) => transient)) library.drop(run);
  }

  #restore(): void {
    const { state, library } = this.#parts;
    const before = this.#before;
    this.#before = null;
    if (before === null) return;
    for (const run of before.runs) run.shown = before.drawn.includes(run);
    library.touch();
    state.horizontalAxis.value = before.axis;
  }

  /** As soon as there are data. */
  #begin(): void {
    const { value: playing } = this.playing;
    const { state, comparisons, library } = this.#parts;
    const { data, catalogue, settings } = state;
    if (playing === null || this.#inputs !== null || data.value.name !== 'ready' || catalogue.value === null || settings.value === null) return;
    const { shape, dataset, trainingSamples } = data.value;
    const { presets } = catalogue.value;
    const preset = presets.find(({ config }) => isOfText(config) === isSequence(shape)) ?? presets[0];
    if (preset === undefined) return;
    this.#before ??= {
      axis: state.horizontalAxis.value,
      runs: library.runs,
      drawn: library.runs.filter((run) => run.shown),
      course: comparisons.course.value,
    };
    const config = shortened(this.#parts.fitted({ ...structuredClone(preset.config), dataset }));
    this.#inputs = { config, catalogue: catalogue.value, shape, trainingSamples };
    if (playing.scene.kind === 'single') this.#beginSingle(playing.scene, this.#inputs);
    else this.#beginComparison(playing.scene, this.#inputs);
  }

  #beginSingle({ title }: SingleScene, { config }: SceneInputs): void {
    const { conductor, library } = this.#parts;
    for (const run of library.runs) run.shown = false;
    conductor.begin({ stop: { steps: 1 }, name: title, transient: true }, config);
    this.#run = library.current;
  }

  #beginComparison({ name, title, axis, variants }: ComparedScene, inputs: SceneInputs): void {
    this.#parts.state.horizontalAxis.value = axis;
    void this.#parts.comparisons.start({ id: name, title, hint: '', transient: true, variants: () => variants(inputs) });
  }

  #followRun(): void {
    const { value: playing } = this.playing;
    const { state, library } = this.#parts;
    const { phase, latestStep } = state.run.value;
    if (playing?.scene.kind !== 'single' || playing.told !== null || this.#inputs === null || library.current !== this.#run) return;
    if (phase === 'failed') this.#tell(NOT_TOLD);
    else if (latestStep !== null && (phase === 'finished' || (phase === 'paused' && playing.scene.isTold(latestStep, this.#inputs)))) {
      this.#tell(playing.scene.tell(latestStep, this.#inputs));
    } else if (phase === 'paused' && !document.hidden) this.#stepSoon();
  }

  #stepSoon(): void {
    this.#nextStep ??= window.setTimeout(() => {
      this.#nextStep = null;
      const { conductor, library, state } = this.#parts;
      // Meanwhile the tab may have been hidden, or the run be another's.
      if (state.run.value.phase === 'paused' && library.current === this.#run && !document.hidden) conductor.pressStep({ steps: 1 });
    }, MILLISECONDS_PER_STEP);
  }

  #followComparison(): void {
    const { value: playing } = this.playing;
    const course = this.#parts.comparisons.course.value;
    if (playing?.scene.kind !== 'compared' || playing.told !== null || this.#inputs === null) return;
    if (course?.comparison.id !== playing.scene.name || course.phase !== 'finished') return;
    const runs = course.entries.flatMap(({ run, state }) => (run !== null && state === 'finished' ? [run] : []));
    const reason = course.entries.map((entry) => entry.reason).find((words) => words !== '') ?? '';
    this.#tell(runs.length < course.entries.length ? `${NOT_TOLD} ${reason}`.trim() : playing.scene.tell(runs, this.#inputs) || NOT_TOLD);
  }

  #tell(told: string): void {
    const { value: playing } = this.playing;
    if (playing !== null) this.playing.value = { ...playing, told };
  }
}
