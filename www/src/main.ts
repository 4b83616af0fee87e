/** Wires the parts together. Nothing here computes: the worker trains, the parts draw. */
import 'uplot/dist/uPlot.min.css';
import './style.css';
import type { RunConfig } from '../pkg/adadagrad_web.js';
import { ChartBoard } from './charts/board.js';
import { Controls } from './controls.js';
import { required } from './dom.js';
import { recallKernels, rememberKernels } from './engine/memory.js';
import { EngineNotes } from './engine/notes.js';
import { EnginePanel } from './engine/panel.js';
import { FigurePanel } from './figure/panel.js';
import { RunHistory } from './history.js';
import { LookPanel } from './look/panel.js';
import { MosaicPanel } from './mosaic/panel.js';
import { Notices } from './notices.js';
import type { StopAfter, Update } from './protocol.js';
import { TrainingSession } from './session.js';
import { SettingsPanel } from './settings/panel.js';
import { NO_RUN, PageState, troubleFrom } from './state.js';
import { StatusPanel } from './status-panel.js';
import { missingFeature } from './support.js';
import { testSides } from './test-sides.js';
import { onThemeChange } from './theme.js';

const state = new PageState();
const history = new RunHistory();

const session = new TrainingSession({
  onModule: ({ presets, models }) => {
    state.catalogue.value = { presets, models };
    const first = presets[0];
    if (state.settings.value === null && first !== undefined) state.settings.value = structuredClone(first.config);
  },
  onAdapter: ({ adapter }) => {
    state.adapter.value = adapter;
  },
  onDownload: ({ receivedBytes, totalBytes, checking }) => {
    state.data.value = checking ? { name: 'checking' } : { name: 'downloading', receivedBytes, totalBytes };
  },
  onReady: ({ trainingSamples, testSamples }) => {
    state.data.value = { name: 'ready', trainingSamples, testSamples };
    if (!state.startWaits.value) return;
    state.startWaits.value = false;
    begin(null);
  },
  onUpdate: takeUpdate,
  onFailure: (failure) => {
    state.startWaits.value = false;
    if (failure.kind === 'data' || failure.kind === 'crash') state.data.value = { name: 'unusable' };
    if (state.run.value.phase !== 'idle') state.run.value = { ...state.run.value, phase: 'failed' };
    state.trouble.value = troubleFrom(failure);
  },
});

function takeUpdate(update: Update): void {
  const { run } = state;
  const test = run.value.config?.test ?? null;
  for (const step of update.steps) history.addStep(step, testSides(test, step));
  for (const evaluation of update.evaluations) history.addEvaluation(evaluation);
  run.value = {
    ...run.value,
    phase: update.phase,
    engine: update.engine ?? run.value.engine,
    latestStep: update.steps.at(-1) ?? run.value.latestStep,
    latestEvaluation: update.evaluations.at(-1) ?? run.value.latestEvaluation,
    activity: update.activity,
    done: update.done,
    total: update.total,
    imagesPerSecond: update.imagesPerSecond ?? run.value.imagesPerSecond,
    memoryBytes: update.memoryBytes,
  };
  figure.noteSteps(update.steps);
  const latest = update.steps.at(-1);
  if (latest !== undefined) state.shownStep.value = { test, step: latest, recorded: false };
  const adapter = update.engine?.adapter ?? null;
  if (update.kernels !== null && adapter !== null) rememberKernels(adapter, update.kernels);
  // What is tried several times with the same outcome is told once.
  const known = new Set(state.notes.value);
  if (update.notices.some((notice) => !known.has(notice))) state.notes.value = [...new Set([...known, ...update.notices])];
  if (update.steps.length > 0 || update.evaluations.length > 0) board.refresh();
}

/** Begins a new run with the settings shown. */
function begin(stop: StopAfter): void {
  const config = state.settings.value;
  if (config === null || state.settingsProblem.value !== null) return;
  forgetRun();
  const engineChoice = state.engineChoice.value;
  state.run.value = { ...NO_RUN, config: structuredClone(config), engineChoice, phase: 'running', total: config.initial_batch };
  const adapter = state.adapter.value;
  const kernels = adapter === null || adapter.kind === 'none' ? null : recallKernels(adapter.name);
  session.begin(config, { choice: engineChoice, kernels }, stop);
}

function forgetRun(): void {
  history.clear();
  state.run.value = NO_RUN;
  state.shownStep.value = null;
  state.notes.value = [];
  if (state.trouble.value?.kind === 'training') state.trouble.value = null;
  board.refresh();
}

function pressMain(): void {
  const { phase } = state.run.value;
  if (phase === 'running') session.pause();
  else if (phase === 'paused') session.continue(null);
  else if (state.data.value.name === 'ready') begin(null);
  else state.startWaits.value = !state.startWaits.value;
}

function pressStep(): void {
  if (state.run.value.phase === 'paused') session.continue({ steps: 1 });
  else begin({ steps: 1 });
}

function pressReset(): void {
  state.startWaits.value = false;
  session.reset();
  forgetRun();
}

function choosePreset(name: string): void {
  const preset = state.catalogue.value?.presets.find((candidate) => candidate.name === name);
  if (preset === undefined) return;
  settingsPanel.forgetMistakes();
  state.settings.value = structuredClone(preset.config);
}

function validate(config: RunConfig): void {
  session.validate(config, (problem) => {
    if (!settingsPanel.hasMistakes) state.settingsProblem.value = problem;
  });
}

/** Starts the worker anew after a crash, or after data that could not be used. */
function openSession(): void {
  state.trouble.value = null;
  state.data.value = { name: 'downloading', receivedBytes: 0, totalBytes: 0 };
  forgetRun();
  session.open();
}

const board = new ChartBoard(required('charts', HTMLElement), {
  history,
  axis: () => state.horizontalAxis.value,
  test: () => (state.run.value.config ?? state.settings.value)?.test ?? null,
});
const settingsPanel = new SettingsPanel(state, validate);
new EnginePanel(state);
new EngineNotes(state);
new StatusPanel(state);
new Controls(state, { main: pressMain, step: pressStep, reset: pressReset, choosePreset });
new Notices(state, openSession);
// What looks into the run (mosaic, figure, look, article) is wired here, each from the state and the session.
new MosaicPanel(required('mosaic', HTMLElement), state, session);
const figure = new FigurePanel(required('figure', HTMLElement), state, {
  stepToGrowth: () => (state.run.value.phase === 'paused' ? session.continue('growth') : begin('growth')),
  pace: (millisecondsPerStep) => session.setPace(millisecondsPerStep),
});
new LookPanel(required('look', HTMLElement), state, session);

state.horizontalAxis.observe(() => board.refresh());
state.settings.observe(() => board.refresh());
onThemeChange(() => board.recolour());

const missing = missingFeature();
if (missing === null) {
  openSession();
} else {
  state.data.value = { name: 'unusable' };
  state.trouble.value = { kind: 'unsupported', message: missing };
}
