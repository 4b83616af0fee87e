/** The current numbers, the sentence about them, and the two progress bars. */
import { element, required, setText } from './dom.js';
import { describeEngine } from './engine/words.js';
import { formatCount, formatPercent } from './format.js';
import type { Moments } from './moment.js';
import { hindranceOf } from './settings/problem.js';
import { hasText } from './state.js';
import type { PageState, RunState, ShownStep } from './state.js';
import { describeRun } from './words.js';

/** What is read aloud changes only every few seconds. */
const SPOKEN_INTERVAL_MILLISECONDS = 3000;
/** By then it has been taken up by whatever reads it aloud; nothing old is left to be found. */
const SPOKEN_LIFETIME_MILLISECONDS = 1500;

export class StatusPanel {
  readonly #state: PageState;
  readonly #root = required('status', HTMLElement);
  readonly #sentence = required('sentence', HTMLElement);
  readonly #numbers = required('numbers', HTMLElement);
  readonly #batch = required('number-batch', HTMLElement);
  readonly #step = required('number-step', HTMLElement);
  readonly #accuracy = required('number-accuracy', HTMLElement);
  readonly #speed = required('number-speed', HTMLElement);
  readonly #speedTitle = required('number-speed-title', HTMLElement);
  readonly #stepProgress = required('progress-step', HTMLProgressElement);
  readonly #stepProgressText = required('progress-step-text', HTMLElement);
  readonly #runProgress = required('progress-run', HTMLProgressElement);
  readonly #runProgressText = required('progress-run-text', HTMLElement);
  readonly #engine = required('engine', HTMLElement);
  readonly #spoken = element('p', { id: 'spoken', class: 'visually-hidden', 'aria-live': 'polite' });
  readonly #moments: Moments;
  #spokenAt = -Infinity;
  #spokenPhase = '';
  #silence: number | null = null;

  constructor(state: PageState, moments: Moments) {
    this.#state = state;
    this.#moments = moments;
    this.#sentence.after(this.#spoken);
    // The attributes are for programs (tests among them): they never lag behind.
    for (const part of [state.run, state.data, state.adapter]) part.observe(() => this.#showAttributes(state.run.value));
    for (const part of [state.data, state.startWaits, state.settingsProblem, moments.latest]) part.observe(() => this.#show());
  }

  #show(): void {
    const { run, shown } = this.#moments.latest.value;
    if (shown?.recorded === true) this.#showRecorded(shown);
    else this.#showNumbers(run);
    this.#showProgress(run);
    this.#showSentence(run);
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
    dataset['samplesPerSecond'] = String(Math.round(run.samplesPerSecond ?? 0));
    dataset['memoryBytes'] = String(run.memoryBytes);
    dataset['engine'] = run.engine?.engine ?? '';
    dataset['adapter'] = run.engine?.adapter ?? '';
    dataset['gpu'] = this.#state.adapter.value?.kind ?? '';
    dataset['deviceBytes'] = String(run.engine?.deviceBytes ?? 0);
  }

  #showNumbers(run: RunState): void {
    delete this.#numbers.dataset['recorded'];
    const step = run.latestStep;
    const batch = run.phase === 'running' || step === null ? (step?.next_batch ?? run.config?.initial_batch) : step.samples;
    setText(this.#batch, batch === undefined ? '' : formatCount(batch));
    setText(this.#step, step === null ? '' : formatCount(step.step));
    setText(this.#accuracy, run.latestEvaluation === null ? '' : formatPercent(run.latestEvaluation.accuracy));
    setText(this.#speedTitle, `${hasText(this.#state) ? 'Sequences' : 'Samples'} per second`);
    setText(this.#speed, run.samplesPerSecond === null ? '' : formatCount(run.samplesPerSecond));
  }

  /** What the charts draw until there is a run: its speed was that of another machine. */
  #showRecorded({ step, accuracy }: ShownStep): void {
    this.#numbers.dataset['recorded'] = 'true';
    setText(this.#batch, formatCount(step.samples));
    setText(this.#step, formatCount(step.step));
    setText(this.#accuracy, accuracy === undefined ? '' : formatPercent(accuracy));
    setText(this.#speed, '');
  }

  #showProgress(run: RunState): void {
    const share = run.total > 0 ? run.done / run.total : 0;
    this.#stepProgress.value = run.phase === 'finished' ? 1 : share;
    setText(this.#stepProgressText, describeWork(run));
    const seen = run.latestStep?.samples_seen ?? 0;
    const budget = run.config?.sample_budget ?? this.#state.settings.value?.sample_budget ?? 0;
    this.#runProgress.value = budget > 0 ? Math.min(1, seen / budget) : 0;
    setText(this.#runProgressText, budget > 0 ? `${formatCount(seen)} of ${formatCount(budget)} samples` : '');
    const pace = { samplesPerSecond: run.samplesPerSecond, secondsPerStep: run.latestStep?.seconds ?? null };
    setText(this.#engine, describeEngine(run.engine, run.memoryBytes, pace));
  }

  /** While a run goes on, the sentence changes with the numbers, and is read aloud only now and then. */
  #showSentence(run: RunState): void {
    const { data, startWaits } = this.#state;
    const running = run.phase === 'running';
    this.#sentence.setAttribute('aria-live', running ? 'off' : 'polite');
    const sentence = describeRun(run, data.value, startWaits.value, hindranceOf(this.#state));
    setText(this.#sentence, sentence);
    // That the first step is being computed must not still be said once there is one.
    const phase = `${running} ${run.latestStep === null}`;
    const now = performance.now();
    if (running && (phase !== this.#spokenPhase || now - this.#spokenAt >= SPOKEN_INTERVAL_MILLISECONDS)) {
      this.#spokenAt = now;
      this.#speak(sentence);
    }
    this.#spokenPhase = phase;
  }

  #speak(sentence: string): void {
    setText(this.#spoken, sentence);
    if (this.#silence !== null) clearTimeout(this.#silence);
    this.#silence = window.setTimeout(() => setText(this.#spoken, ''), SPOKEN_LIFETIME_MILLISECONDS);
  }
}

function describeWork(run: RunState): string {
  if (run.phase === 'finished') return 'done';
  if (run.config === null) return '';
  const counts = `${formatCount(run.done)} of ${formatCount(run.total)}`;
  if (run.activity === 'opening') return 'preparing the GPU';
  return run.activity === 'evaluating' ? `measuring accuracy, ${counts}` : counts;
}
