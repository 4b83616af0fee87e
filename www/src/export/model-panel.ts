/** Saves the present model, and begins a run with one that was saved. */
import { isDisabled, required, setDisabled, setText } from '../dom.js';
import type { TrainingSession } from '../session.js';
import type { PageState } from '../state.js';
import { download, fileName } from './download.js';
import { safetensors } from './safetensors.js';

export class ModelPanel {
  readonly #state: PageState;
  readonly #session: TrainingSession;
  readonly #save = required('model-save', HTMLButtonElement);
  readonly #load = required('model-load', HTMLButtonElement);
  readonly #file = required('model-file', HTMLInputElement);
  readonly #note = required('model-note', HTMLElement);
  readonly #onModel: (name: string, bytes: Uint8Array) => void;

  constructor(state: PageState, session: TrainingSession, onModel: (name: string, bytes: Uint8Array) => void) {
    this.#state = state;
    this.#session = session;
    this.#onModel = onModel;
    this.#save.addEventListener('click', () => {
      if (!isDisabled(this.#save)) void this.#saveModel();
    });
    this.#load.addEventListener('click', () => {
      if (!isDisabled(this.#load)) this.#file.click();
    });
    this.#file.addEventListener('change', () => {
      const chosen = this.#file.files?.[0];
      if (chosen !== undefined) void this.take(chosen);
      this.#file.value = '';
    });
    state.run.observe(({ phase }) => setDisabled(this.#save, phase === 'idle'));
    state.data.observe(({ name }) => setDisabled(this.#load, name !== 'ready'));
  }

  async take(file: File): Promise<void> {
    this.#onModel(file.name, new Uint8Array(await file.arrayBuffer()));
  }

  async #saveModel(): Promise<void> {
    const answer = await this.#session.parameters();
    const model = this.#state.catalogue.value?.models.find(({ name }) => name === answer?.model);
    if (answer === null || answer.values === null || model === undefined) {
      setText(this.#note, 'There is no model yet. Start a run first.');
      return;
    }
    const step = String(answer.step ?? 0);
    download(fileName(`${model.name}-step-${step}`, 'safetensors'), safetensors(model.tensors, answer.values, { model: model.name, step }));
    setText(this.#note, `Saved the model after step ${step}.`);
  }
}
