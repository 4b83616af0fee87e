/** Wires the parts together. Nothing here computes: the worker trains, the parts draw. */
import './start/older-browsers.js';
import './start/observers.js';
import './start/locale.js';
import './start/trusted-types.js';
import 'uplot/dist/uPlot.min.css';
import './style.css';
import './article/article.css';
import './view/view.css';
import type { ModelDescription, RunConfig } from '../pkg/adadagrad_web.js';
import { ChartBoard } from './charts/board.js';
import { ComparisonChart } from './charts/comparison-chart.js';
import { ChartControls } from './charts/controls.js';
import { onColourChange } from './colours.js';
import { wireContents } from './contents.js';
import { Controls } from './controls.js';
import { required } from './dom.js';
import { EnginePanel } from './engine/panel.js';
import { Preparation } from './engine/preparation.js';
import { onChosenFiles, onDroppedFiles } from './export/drop.js';
import { ComparisonFiles } from './export/comparison-files.js';
import { FilesNote } from './export/files-note.js';
import { refused, takeFiles } from './export/inbox.js';
import type { FileAnswer } from './export/inbox.js';
import { ModelPanel } from './export/model-panel.js';
import { printRun } from './export/run-sheet.js';
import { FigurePanel } from './figure/panel.js';
import { formatCount } from './format.js';
import { keepFocus } from './focus.js';
import { Guide } from './guide/guide.js';
import { GuidePanel } from './guide/panel.js';
import { followData } from './lead.js';
import { HiddenTab } from './hidden-tab.js';
import { LookPanel } from './look/panel.js';
import { TextPanel } from './look/text-panel.js';
import { Moments } from './moment.js';
import { MosaicPanel } from './mosaic/panel.js';
import { NoteLog } from './note-log.js';
import { Notices } from './notices.js';
import { registerServiceWorker } from './offline/register.js';
import { Pace } from './pace.js';
import { markInks, onPrint } from './print.js';
import { addressOf, copyLink } from './recorded/copy-link.js';
import { showRecordedRun } from './recorded/recorded-run.js';
import { Checkpoints } from './runs/checkpoints.js';
import { ComparisonCourse } from './runs/comparison-course.js';
import { ComparisonPanel } from './runs/comparison-panel.js';
import { ComparisonTable } from './runs/comparison-table.js';
import { RunConductor } from './runs/conductor.js';
import { GoingBack } from './runs/going-back.js';
import { KeptRuns } from './runs/kept-runs.js';
import { LeftRunOffer } from './runs/left-run.js';
import { RunLibrary } from './runs/library.js';
import { RaceRules } from './runs/race-rules.js';
import { RunOwnership } from './runs/ownership.js';
import { Retuning } from './runs/retuning.js';
import { openRunFile } from './runs/open-run-file.js';
import { nameShownRun } from './runs/shown-run.js';
import { RunsTable } from './runs/table.js';
import { UndoDelete } from './runs/undo-delete.js';
import type { StopAfter } from './protocol.js';
import { TrainingSession } from './session.js';
import { DataPanel } from './settings/data-panel.js';
import { describeImages, isSequence, MNIST_SHAPE, nounOf, sameShape } from './samples.js';
import { modelTitle } from './settings/choices.js';
import { BatchFit, fitBatches } from './settings/fit.js';
import { Knobs } from './settings/knobs.js';
import { ModelFit, offeredModels } from './settings/model-fit.js';
import { SettingsPanel } from './settings/panel.js';
import { causeOf, isOfRun, PageState, troubleFrom } from './state.js';
import type { Trouble } from './state.js';
import { StatusPanel } from './status-panel.js';
import { followRun } from './tab-title.js';
import { isAboutMissing, lackingBrowser, missingFeature } from './start/features.js';
import { whenPageFails } from './start/page-errors.js';
import { forbidden, whenForbidden } from './start/policies.js';
import { StallWatch } from './start/stall-watch.js';
import { markStarted } from './start/started.js';
import { datasetInAddress } from './url/address.js';
import { AddressBar } from './url/address-bar.js';
import { readView, showView } from './view/view.js';
import { WorthPanel } from './worth/panel.js';
import { asSentence, text } from './words-of-errors.js';

keepFocus();
const state = new PageState();
const moments = new Moments(state);
const library = new RunLibrary();
const batchFit = new BatchFit();
const modelFit = new ModelFit();
const LARGEST_BATCH = 'The largest batch is ';
/** The networks that fit the data at hand, also those that are not offered. */
let fittingModels: ModelDescription[] = [];
let lastShape = MNIST_SHAPE;

const session = new TrainingSession({
  onModule: ({ presets, models, defaults }) => {
    state.catalogue.value = { presets, models, defaults };
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
  onReady: ({ dataset, trainingSamples, testSamples, shape, classNames: names, models }) => {
    // As files write them, without spaces; what a text consists of is what it is.
    const classNames = isSequence(shape) ? names : names.map((name) => name.replaceAll('_', ' '));
    fittingModels = models;
    const { catalogue, settings } = state;
    if (catalogue.value !== null) catalogue.value = { ...catalogue.value, models: offeredModels(models, shape) };
    state.data.value = { name: 'ready', dataset, trainingSamples, testSamples, shape, classNames };
    // A network that was chosen stays while the data stay what they are.
    if (settings.value !== null) settings.value = fitted(settings.value, sameShape(shape, lastShape));
    lastShape = shape;
    conductor.beginWaiting();
  },
  onUpdate: (update) => {
    const { current } = library;
    if (current !== null) figure.noteSteps(update.steps, (step) => current.configAt(step));
    conductor.takeUpdate(update);
  },
  onFailure: (failure) => {
    state.startWaits.value = false;
    const blocked = failure.kind === 'start' ? forbidden() : null;
    const trouble: Trouble = blocked === null ? troubleFrom(failure) : { kind: 'unsupported', message: blocked };
    if (!isOfRun(trouble)) comparisons.interrupt();
    if (state.run.value.phase !== 'idle') state.run.value = { ...state.run.value, phase: 'failed' };
    if (isOfRun(trouble)) state.trouble.value = trouble;
    else giveUp(trouble);
  },
});

const conductor = new RunConductor({ state, session, library, checkpoints: () => checkpoints, data: () => dataPanel, onNews: () => board.refresh() });

/** Settings that suit the data at hand; what changes is said. `keepsModel`: the network was chosen for these data. */
function fitted(config: RunConfig, keepsModel = false): RunConfig {
  const { value: data } = state.data;
  if (data.name !== 'ready') return config;
  const suited = keepsModel ? config : modelFit.fit(config, fittingModels, data.shape);
  const samples = isSequence(data.shape) ? 'texts' : `images of ${describeImages(data.shape)}`;
  if (suited.model !== config.model) addNote('The model is ', `The model is now ${modelTitle(suited.model)}, which suits ${samples}.`);
  const next = batchFit.fit(suited, data.trainingSamples);
  if (next.max_batch < config.max_batch) addNote(LARGEST_BATCH, `${LARGEST_BATCH}now ${formatCount(next.max_batch)}, the number of training ${nounOf(data.shape)}s.`);
  if (next.max_batch > config.max_batch) addNote(LARGEST_BATCH, `${LARGEST_BATCH}${formatCount(next.max_batch)} again, because there are enough training ${nounOf(data.shape)}s.`);
  return next;
}

/** The same, with nothing remembered of what the visitor asked for, and nothing said. */
function fittedForScene(config: RunConfig): RunConfig {
  const { value: data } = state.data;
  if (data.name !== 'ready') return config;
  return fitBatches(new ModelFit().fit(config, fittingModels, data.shape), data.trainingSamples);
}

/** Of several notes that begin alike only the newest holds. */
function addNote(beginning: string, note: string): void {
  state.notes.value = [...state.notes.value.filter((known) => !known.startsWith(beginning)), note];
}

/** The data stays what it is: presets tell how to train, not on what. */
function choosePreset(name: string): void {
  const preset = state.catalogue.value?.presets.find((candidate) => candidate.name === name);
  if (preset === undefined) return;
  settingsPanel.forgetMistakes();
  batchFit.forget();
  state.settings.value = fitted({ ...structuredClone(preset.config), dataset: state.settings.value?.dataset ?? preset.config.dataset });
}

/** Settings changed by hand: the run at hand follows where it can, unless it is one of several to be compared. */
function changeSettings(next: RunConfig): void {
  const before = state.settings.value;
  state.settings.value = next;
  if (before !== null && !comparisons.isUnderWay) retuning.follow(before, next);
}

function validate(config: RunConfig): void {
  session.validate(config, (problem) => {
    if (problem !== null && addressBar.refuse(config)) return;
    if (!settingsPanel.hasMistakes) state.settingsProblem.value = problem;
  });
}

function pressMain(): void {
  const { phase } = state.run.value;
  if (phase !== 'running' && phase !== 'paused') {
    comparisons.interrupt();
    pace.open();
  }
  conductor.pressMain();
}

function pressStep(stop: StopAfter): void {
  if (state.run.value.phase !== 'paused') comparisons.interrupt();
  conductor.pressStep(stop);
}

function pressReset(): void {
  comparisons.interrupt();
  checkpoints.forgetLeft();
  conductor.pressReset();
}

async function beginWithModel(name: string, parameters: Uint8Array): Promise<string> {
  const ended = await conductor.keepRun();
  comparisons.interrupt();
  conductor.begin({ stop: { steps: 0 }, name: `From ${name}`, parameters });
  return ended;
}

let taking: Promise<void> = Promise.resolve();

/** Files that were chosen or dropped: each is looked at first, and answered; in the order in which they came. */
function take(files: File[]): void {
  const actions = { data: (some: File[]) => dataPanel.take(some), model: (file: File) => modelPanel.take(file), run: (file: File) => openRunFile(file, library) };
  const answer = async (): Promise<FileAnswer[]> => takeFiles(files, actions);
  taking = taking.then(answer).catch(describeUnread).then((answers) => filesNote.tell(answers));
}

function describeUnread(error: unknown): FileAnswer[] {
  return [refused(`These files cannot be opened. ${asSentence(text(error))}`)];
}

/** Starts the worker anew after a crash, for other data, or after data that could not be used. */
function openSession(): void {
  state.trouble.value = null;
  state.data.value = { name: 'downloading', receivedBytes: 0, totalBytes: 0 };
  const source = dataPanel.use();
  conductor.forget();
  void leftRun.look();
  session.open(source, state.settings.value?.text);
}

const comparisons = new ComparisonCourse({
  state,
  conductor,
  library,
  check: async (config) => (await session.check(config))?.problem ?? null,
  reset: pressReset,
});
const filesNote = new FilesNote();
const pace = new Pace(state, (millisecondsPerStep) => session.setPace(millisecondsPerStep));
const chartControls = new ChartControls(state, library);
const comparisonChart = new ComparisonChart(() => comparisons.runs);
required('comparison-charts', HTMLElement).append(comparisonChart.chart.root);
const board = new ChartBoard(required('charts', HTMLElement), {
  stage: required('stage', HTMLElement),
  library,
  axis: () => state.horizontalAxis.value,
  smoothing: () => state.smoothing.value,
  thresholds: () => state.thresholds.value,
  test: () => (state.run.value.config ?? state.settings.value)?.test ?? null,
  onCursor: (x) => chartControls.showCursor(x),
  comparison: comparisonChart,
});
const addressBar = new AddressBar(state, {
  check: async (config) => (await session.check(config))?.problem ?? null,
  asked: (config) => modelFit.asked(batchFit.asked(config)),
  fitted,
});
const dataPanel = new DataPanel(state, session, openSession);
const retuning = new Retuning(state, session, library, () => board.refresh());
const settingsPanel = new SettingsPanel(state, validate, changeSettings);
const raceRules = new RaceRules(state);
new ComparisonPanel(state, comparisons, raceRules);
new ComparisonTable(comparisons, moments);
new ComparisonFiles(comparisons, library);
new WorthPanel(state, library, comparisons);
const ownership = new RunOwnership();
const checkpoints = new Checkpoints({ state, session, library, ownership });
const modelPanel = new ModelPanel(state, session, beginWithModel);
// A slider reaches further than a small data set does.
new Knobs(state, (next) => changeSettings(fitted(next, true)));
new GoingBack(checkpoints, conductor);
const leftRun = new LeftRunOffer({ state, library, checkpoints, conductor, ownership, offers: (dataset) => dataPanel.offers(dataset) });
new KeptRuns(library);
new RunsTable(moments, library, {
  copyLink: (run) => void copyLink(run, state),
  print: (run) => printRun(run, run.config.dataset === 'own' ? '' : addressOf(run, state), (only) => board.drawOnly(only)),
});
new UndoDelete(library);
nameShownRun(library);
onDroppedFiles(take);
onChosenFiles('run-open', 'run-file', take);
onChosenFiles('data-files-button', 'data-files', take);
onChosenFiles('model-load', 'model-file', take);
new EnginePanel(state);
new NoteLog('engine-notes', state.notes, (sentence) => sentence);
new NoteLog('sightings', state.sightings, ({ step, words }) => `Step ${formatCount(step)}: ${words}`);
new Preparation(state, session, () => conductor.engineWish());
new StatusPanel(state, moments);
new Controls(state, {
  main: pressMain,
  step: () => pressStep({ steps: 1 }),
  reset: pressReset,
  choosePreset,
});
new Notices(state, openSession);
new StallWatch(state, session, openSession);
// What looks into the run (mosaic, figure, look, article) is wired here, each from the state and the session.
new MosaicPanel(required('mosaic', HTMLElement), state, session);
const figure = new FigurePanel(required('figure', HTMLElement), state, moments, pace, { stepToGrowth: () => pressStep('growth') });
const guide = new Guide({ state, conductor, comparisons, library, pace, fitted: fittedForScene, onClose: () => void leftRun.look() });
followData(state);
followRun(state);
new LookPanel(required('look', HTMLElement), state, session);
new TextPanel(required('look', HTMLElement), state, session);
new HiddenTab(state, session);
registerServiceWorker();

for (const part of [state.horizontalAxis, state.smoothing, state.thresholds, state.settings]) part.observe(() => board.refresh());
library.revision.observe(() => board.refresh());
onColourChange(() => board.recolour());
markInks();
wireContents();
onPrint((onPaper) => board.drawForPaper(onPaper));
showRecordedRun(state, library);

whenPageFails((message) => {
  const { name } = state.data.value;
  if (name !== 'downloading' && name !== 'checking') return;
  // What arrives now must not say that all is well.
  session.close();
  if (isAboutMissing(message)) cannotTrain(lackingBrowser(message));
  else giveUp({ kind: 'start', message: `A part of the page failed to start (${message}).` });
});
whenForbidden((words) => {
  if (state.trouble.value?.kind === 'start') cannotTrain(words);
});

/** Nothing can be trained until the visitor does something about it. */
function giveUp(trouble: Trouble): void {
  state.data.value = { name: 'unusable', because: causeOf(trouble.kind) };
  state.trouble.value = trouble;
}

function cannotTrain(message: string): void {
  giveUp({ kind: 'unsupported', message });
}

const view = readView(location.search);
if (view.problem !== null) addNote('“embed=', view.problem);
const missing = missingFeature();
if (missing === null) {
  dataPanel.begin(datasetInAddress(location.hash));
  openSession();
  showView(view, pressMain);
  if (view.embed === null) new GuidePanel(guide);
} else {
  cannotTrain(missing);
}
markStarted();
