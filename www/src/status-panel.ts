/** The current numbers, the sentence about them, and the two progress bars. */
import { required, setText } from './dom.js';
import { describeEngine } from './engine/words.js';
import { formatCount, formatPercent } from './format.js';
import type { PageState, RunState } from './state.js';
import { describeRun } from './words.js';

/** Numbers follow quickly; the sentence is read aloud, so it changes only every few seconds. */
const NUMBERS_INTERVAL_MILLISECONDS = 150;
const SENTENCE_INTERVAL_MILLISECONDS = 3000;

export class StatusPanel {
  readonly #state: PageState;
  readonly #root = required('status', HTMLElement);
  readonly #sentence = required('sentence', HTMLElement);
  readonly #batch = required('number-batch', HTMLElement);
  readonly #step = required('number-step', HTMLElement);
  readonly #accuracy = required('number-accuracy', HTMLElement);
  readonly #speed = required('number-speed', HTMLElement);
  readonly #stepProgress = required('progress-step', HTMLProgressElement);
  readonly #stepProgressText = required('progress-step-text', HTMLElement);
  readonly #runProgress = required('progress-run', HTMLProgressElement);
  readonly #runProgressText = required('progress-run-text', HTMLElement);
  readonly #engine = required('engine', HTMLElement);
  #lastNumbers = -Infinity;
  #lastSentence = -Infinity;
  #spokenPhase = '';
  #frameWaits = false;

  constructor(state: PageState) {
    this.#state = state;
    state.run.observe(() => this.#requestFrame());
    state.data.observe(() => this.#requestFrame());
    state.startWaits.observe(() => this.#requestFrame());
  }

  #requestFrame(): void {
    // The attributes are for programs (tests among them): they never lag behind.
    this.#showAttributes(this.#state.run.value);
    if (this.#frameWaits) return;
    this.#frameWaits = true;
    requestAnimationFrame((now) => this.#frame(now));
  }

  #frame(now: number): void {
    this.#frameWaits = false;
    const run = this.#state.run.value;
    const settled = run.phase !== 'running';
    if (settled || now - this.#lastNumbers >= NUMBERS_INTERVAL_MILLISECONDS) {
      this.#lastNumbers = now;
      this.#showNumbers(run);
      this.#showProgress(run);
    }
    this.#showSentence(run, now);
  }

  #showAttributes(run: RunState): void {
    const { dataset } = this.#root;
    const step = run.latestStep;
    dataset['phase'] = run.phase;
    dataset['data'] = this.#state.data.value.name;
    dataset['activity'] = run.activity;
    dataset['done'] = String(run.done);
    dataset['total'] = String(run.total);
    dataset['step'] = String(step?.step ?? 0);
    dataset['batch'] = String(step?.samples ?? 0);
    dataset['nextBatch'] = String(step?.next_batch ?? run.config?.initial_batch ?? 0);
    dataset['samplesSeen'] = String(step?.samples_seen ?? 0);
    dataset['loss'] = String(step?.loss ?? '');
    dataset['required'] = String(step?.required ?? '');
    dataset['testAccuracy'] = String(run.latestEvaluation?.accuracy ?? '');
    dataset['imagesPerSecond'] = String(Math.round(run.imagesPerSecond ?? 0));
    dataset['memoryBytes'] = String(run.memoryBytes);
    dataset['engine'] = run.engine?.engine ?? '';
    dataset['adapter'] = run.engine?.adapter ?? '';
    dataset['deviceBytes'] = String(run.engine?.deviceBytes ?? 0);
  }

  #showNumbers(run: RunState): void {
    const step = run.latestStep;
    const batch = run.phase === 'running' || step === null ? (step?.next_batch ?? run.config?.initial_batch) : step.samples;
    setText(this.#batch, batch === undefined ? '' : formatCount(batch));
    setText(this.#step, step === null ? '' : formatCount(step.step));
    setText(this.#accuracy, run.latestEvaluation === null ? '' : formatPercent(run.latestEvaluation.accuracy));
    setText(this.#speed, run.imagesPerSecond === null ? '' : formatCount(run.imagesPerSecond));
  }

  #showProgress(run: RunState): void {
    const share = run.total > 0 ? run.done / run.total : 0;
    this.#stepProgress.value = run.phase === 'finished' ? 1 : share;
    setText(this.#stepProgressText, describeWork(run));
    const seen = run.latestStep?.samples_seen ?? 0;
    const budget = run.config?.sample_budget ?? this.#state.settings.value?.sample_budget ?? 0;
    this.#runProgress.value = budget > 0 ? Math.min(1, seen / budget) : 0;
    setText(this.#runProgressText, budget > 0 ? `${formatCount(seen)} of ${formatCount(budget)} images` : '');
    const pace = { imagesPerSecond: run.imagesPerSecond, secondsPerStep: run.latestStep?.seconds ?? null };
    setText(this.#engine, describeEngine(run.engine, run.memoryBytes, pace));
  }

  #showSentence(run: RunState, now: number): void {
    // That the first step is being computed must not still be said once there is one.
    const phase = `${run.phase} ${this.#state.data.value.name} ${this.#state.startWaits.value} ${run.latestStep === null}`;
    const due = phase !== this.#spokenPhase || run.phase !== 'running' || now - this.#lastSentence >= SENTENCE_INTERVAL_MILLISECONDS;
    if (!due) return;
    this.#spokenPhase = phase;
    this.#lastSentence = now;
    setText(this.#sentence, describeRun(run, this.#state.data.value, this.#state.startWaits.value));
  }
}

function describeWork(run: RunState): string {
  if (run.phase === 'finished') return 'done';
  if (run.config === null) return '';
  const counts = `${formatCount(run.done)} of ${formatCount(run.total)}`;
  if (run.activity === 'opening') return 'preparing the GPU';
  return run.activity === 'evaluating' ? `measuring accuracy, ${counts}` : counts;
}
