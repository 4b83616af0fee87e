/** Wires the parts together. Nothing here computes: the worker trains, the parts draw. */
import 'uplot/dist/uPlot.min.css';
import './style.css';
import './article/article.css';
import type { RunConfig } from '../pkg/adadagrad_web.js';
import { ChartBoard } from './charts/board.js';
import { ChartControls } from './charts/controls.js';
import { Controls } from './controls.js';
import { required } from './dom.js';
import { EngineNotes } from './engine/notes.js';
import { EnginePanel } from './engine/panel.js';
import { FigurePanel } from './figure/panel.js';
import { LookPanel } from './look/panel.js';
import { MosaicPanel } from './mosaic/panel.js';
import { Notices } from './notices.js';
import { registerServiceWorker } from './offline/register.js';
import { showRecordedRun } from './recorded/recorded-run.js';
import { RunConductor } from './runs/conductor.js';
import { RunLibrary } from './runs/library.js';
import { RunsTable } from './runs/table.js';
import { TrainingSession } from './session.js';
import { SettingsPanel } from './settings/panel.js';
import { PageState, troubleFrom } from './state.js';
import { StatusPanel } from './status-panel.js';
import { missingFeature } from './support.js';
import { onThemeChange } from './theme.js';
import { AddressBar } from './url/address-bar.js';

const state = new PageState();
const library = new RunLibrary();

const session = new TrainingSession({
  onModule: ({ presets, models }) => {
    state.catalogue.value = { presets, models };
    const first = presets[0];
    if (state.settings.value !== null || first === undefined) return;
    state.settings.value = structuredClone(first.config);
    addressBar.start();
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
    conductor.begin();
  },
  onUpdate: (update) => {
    figure.noteSteps(update.steps);
    conductor.takeUpdate(update);
  },
  onFailure: (failure) => {
    state.startWaits.value = false;
    if (failure.kind === 'data' || failure.kind === 'crash') state.data.value = { name: 'unusable' };
    if (state.run.value.phase !== 'idle') state.run.value = { ...state.run.value, phase: 'failed' };
    state.trouble.value = troubleFrom(failure);
  },
});

const conductor = new RunConductor({ state, session, library, onNews: () => board.refresh() });

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
  conductor.forget();
  session.open();
}

const chartControls = new ChartControls(state, library);
const board = new ChartBoard(required('charts', HTMLElement), {
  library,
  axis: () => state.horizontalAxis.value,
  smoothing: () => state.smoothing.value,
  thresholds: () => state.thresholds.value,
  test: () => (state.run.value.config ?? state.settings.value)?.test ?? null,
  onCursor: (x) => chartControls.showCursor(x),
});
const addressBar = new AddressBar(state);
const settingsPanel = new SettingsPanel(state, validate);
new RunsTable(state, library);
new EnginePanel(state);
new EngineNotes(state);
new StatusPanel(state);
new Controls(state, {
  main: () => conductor.pressMain(),
  step: () => conductor.pressStep({ steps: 1 }),
  reset: () => conductor.pressReset(),
  choosePreset,
});
new Notices(state, openSession);
// What looks into the run (mosaic, figure, look, article) is wired here, each from the state and the session.
new MosaicPanel(required('mosaic', HTMLElement), state, session);
const figure = new FigurePanel(required('figure', HTMLElement), state, {
  stepToGrowth: () => conductor.pressStep('growth'),
  pace: (millisecondsPerStep) => session.setPace(millisecondsPerStep),
});
new LookPanel(required('look', HTMLElement), state, session);
registerServiceWorker(required('offline-note', HTMLElement));

for (const part of [state.horizontalAxis, state.smoothing, state.thresholds, state.settings]) part.observe(() => board.refresh());
library.revision.observe(() => board.refresh());
onThemeChange(() => board.recolour());
showRecordedRun(state, library);

const missing = missingFeature();
if (missing === null) {
  openSession();
} else {
  state.data.value = { name: 'unusable' };
  state.trouble.value = { kind: 'unsupported', message: missing };
}
