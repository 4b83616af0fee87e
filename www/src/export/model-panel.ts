/** Saves the present model, and begins a run with one that was saved. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { quoted, shortened } from '../brief.js';
import { isDisabled, required, setDisabled, setText } from '../dom.js';
import type { TrainingSession } from '../session.js';
import type { PageState } from '../state.js';
import { madeHere, originOf } from '../runs/made-with.js';
import { modelTitle } from '../settings/choices.js';
import { asSentence } from '../words-of-errors.js';
import { download, fileName } from './download.js';
import { accepted, refused } from './inbox.js';
import type { FileAnswer } from './inbox.js';
import { asWritten, safetensors } from './safetensors.js';

/** A file that is larger is not read at all. */
const LARGEST_BYTES = 64 * 1024 * 1024;

export class ModelPanel {
  readonly #state: PageState;
  readonly #session: TrainingSession;
  readonly #save = required('model-save', HTMLButtonElement);
  readonly #note = required('model-note', HTMLElement);
  readonly #onModel: (name: string, bytes: Uint8Array) => Promise<string>;

  /** `onModel` begins a run, and gives a sentence about the run that ended for it. */
  constructor(state: PageState, session: TrainingSession, onModel: (name: string, bytes: Uint8Array) => Promise<string>) {
    this.#state = state;
    this.#session = session;
    this.#onModel = onModel;
    this.#save.addEventListener('click', () => {
      if (!isDisabled(this.#save)) void this.#saveModel();
    });
    state.run.observe(({ phase }) => setDisabled(this.#save, phase === 'idle'));
  }

  /** Begins a run with a model, which is read and checked before the run at hand ends. */
  async take(file: File): Promise<FileAnswer> {
    const name = quoted(file.name);
    const { settings, settingsProblem, data } = this.#state;
    const config = settings.value;
    if (data.value.name === 'unusable') return refused(`${name} cannot be opened, because there is no data to train on.`);
    if (data.value.name !== 'ready' || config === null) return refused(`${name} can be opened once the data is loaded. Try again in a moment.`);
    if (settingsProblem.value !== null) return refused(`${name} was not opened: first correct the settings.`);
    if (file.size > LARGEST_BYTES) return refused(`${name} is larger than any model of this page. Nothing was changed.`);
    const bytes = await file.arrayBuffer().then((buffer) => new Uint8Array(buffer)).catch(() => null);
    if (bytes === null) return refused(`${name} cannot be read: it was moved, deleted or locked.`);
    const answer = await this.#session.checkModel(config, bytes);
    if (answer === null) return refused(`${name} could not be checked, because the training program was restarted. Try again.`);
    if (answer.problem !== null) {
      const other = await this.#modelOf(config, bytes);
      const advice = other === null ? '' : ` It fits the model “${other}”: choose that under Model first.`;
      return refused(`${name} is not a model for these settings: ${asSentence(shortened(asWritten(answer.problem, bytes))).replace(/^./, (first) => first.toLowerCase())}${advice} Nothing was changed.`);
    }
    const ended = await this.#onModel(file.name, bytes);
    return accepted(`A run starts from ${name}. ${ended}`.trim());
  }

  /** The network, other than the settings', that a file is for. */
  async #modelOf(config: RunConfig, bytes: Uint8Array): Promise<string | null> {
    for (const { name } of this.#state.catalogue.value?.models ?? []) {
      if (name === config.model) continue;
      const answer = await this.#session.checkModel({ ...config, model: name }, bytes);
      if (answer !== null && answer.problem === null) return modelTitle(name);
    }
    return null;
  }

  async #saveModel(): Promise<void> {
    const answer = await this.#session.parameters();
    if (answer === null || answer.values === null || answer.model === null) {
      setText(this.#note, 'There is no model yet. Start a run first.');
      return;
    }
    const { model } = answer;
    const step = String(answer.step ?? 0);
    download(fileName(`${model.name}-step-${step}`, 'safetensors'), safetensors(model.tensors, answer.values, { model: model.name, step, ...originOf(madeHere()) }));
    setText(this.#note, `Saved the model after step ${step}.`);
  }
}
