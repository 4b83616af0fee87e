/** Look inside, for a text: what the network writes at each measurement, and how it would go on with what the visitor types. */
import { element, isDisabled, setDisabled, setText } from '../dom.js';
import { isSequence } from '../samples.js';
import type { TrainingSession } from '../session.js';
import { classNamesOf, hasText } from '../state.js';
import type { PageState, RunState } from '../state.js';
import { whileVisible } from '../visibility.js';
import { Probabilities } from './probabilities.js';
import { Repeatedly } from './repeatedly.js';
import { WrittenSamples } from './written-samples.js';

/** Each answer costs the training worker a moment. */
const FOLLOW_MILLISECONDS = 250;
/** How much is written at a press. */
const WRITTEN = 100;
const NO_RUN_YET = 'Start a run, and the network will say which character comes next.';
const PROMPT = 'O Romeo, Romeo! wherefore art thou ';
const TEMPERATURE = { least: 0, most: 1.5, usual: 0.8, step: 0.05 };

/** Of characters that nobody sees. */
const NAMES: Readonly<Record<string, string>> = { '\n': '↵ line break', ' ': '␣ space', '\t': '⇥ tab', '\u00a0': 'no-break space' };

export class TextPanel {
  readonly #state: PageState;
  readonly #session: TrainingSession;
  readonly #root = element('div', { hidden: '' });
  readonly #samples = new WrittenSamples();
  readonly #prompt = element('textarea', { id: 'prompt', rows: '4', spellcheck: 'false', autocomplete: 'off', 'aria-describedby': 'prompt-note' });
  readonly #note = element('p', { id: 'prompt-note', class: 'field-hint', role: 'status' });
  readonly #temperature = element('input', {
    id: 'temperature', type: 'range', min: String(TEMPERATURE.least), max: String(TEMPERATURE.most), step: String(TEMPERATURE.step), value: String(TEMPERATURE.usual),
  });
  readonly #temperatureValue = element('output', { for: 'temperature' });
  readonly #write = element('button', { type: 'button', id: 'write-on' }, 'Write on');
  readonly #probabilities = new Probabilities([]);
  readonly #following = new Repeatedly(FOLLOW_MILLISECONDS, () => this.#follow());
  #names: readonly string[] = [];
  #shownNames: readonly string[] = [];
  /** Another one for each press, so that it is another text each time. */
  #seed = 0;
  #writing = false;
  #moment = '';

  constructor(section: HTMLElement, state: PageState, session: TrainingSession) {
    this.#state = state;
    this.#session = session;
    this.#prompt.value = PROMPT;
    this.#root.append(this.#createPrompt(), this.#createSamples());
    section.append(this.#root);
    this.#prompt.addEventListener('input', () => this.#following.request());
    this.#temperature.addEventListener('input', () => {
      this.#showTemperature();
      this.#following.request();
    });
    this.#write.addEventListener('click', () => {
      if (!isDisabled(this.#write)) void this.#writeOn();
    });
    session.listen('sample', (sample) => this.#samples.add(sample));
    // What comes after the moment that the run goes back to has not happened.
    session.listen('resumed', ({ step }) => this.#samples.cutAfter(step));
    state.data.observe(() => this.#suit());
    state.run.observe((run) => this.#follows(run));
    whileVisible(section, (visible) => this.#following.allow(visible));
    this.#showTemperature();
    this.#suit();
  }

  #createPrompt(): HTMLElement {
    const label = element('label', { for: 'prompt' }, 'Your text');
    const temperature = element('div', { class: 'slider' }, element('label', { for: 'temperature' }, 'Temperature'), this.#temperature, this.#temperatureValue);
    const tools = element('div', { class: 'prompt-tools' }, this.#write, temperature);
    const left = element('div', { class: 'prompt' }, label, this.#prompt, this.#note, tools);
    const explanation = element(
      'p',
      { class: 'panel-note' },
      'The network reads the end of your text, as many characters as its context holds, and gives each character a probability to come next. The outputs are divided by the temperature: at 0 the most probable character is always chosen; above 1, improbable ones are chosen more often.',
    );
    return part('What comes next', 'look-next', element('div', { class: 'look-pair' }, left, this.#probabilities.root), explanation);
  }

  #createSamples(): HTMLElement {
    const hint = 'At each measurement of the accuracy the network writes 200 characters at temperature 0.8, beginning with a new line. The newest comes first. The same parameters and seed give the same text.';
    return part('What the network writes', 'look-written', element('p', { class: 'panel-note' }, hint), this.#samples.root);
  }

  #suit(): void {
    this.#root.hidden = !hasText(this.#state);
    const names = classNamesOf(this.#state);
    if (this.#root.hidden || names === this.#names) return;
    this.#names = names;
    this.#shownNames = names.map((name) => NAMES[name] ?? name);
    this.#probabilities.rename(this.#shownNames);
    this.#following.request();
  }

  #follows({ phase, latestStep }: RunState): void {
    const moment = `${phase} ${latestStep?.step ?? 0}`;
    if (moment === this.#moment) return;
    const begins = phase === 'running' && latestStep === null;
    this.#moment = moment;
    setDisabled(this.#write, phase === 'idle' || this.#writing);
    if (phase === 'idle' || begins) this.#samples.clear();
    if (!this.#root.hidden) this.#following.request();
  }

  #showTemperature(): void {
    setText(this.#temperatureValue, this.#temperature.value);
  }

  /** The newest parameters' answer to what is typed; with `count` characters that follow. */
  async #ask(count: number): Promise<string | null> {
    const { data, run } = this.#state;
    if (data.value.name !== 'ready' || !isSequence(data.value.shape)) return null;
    if (run.value.phase === 'idle') {
      this.#probabilities.clear(NO_RUN_YET);
      return null;
    }
    const answer = await this.#session.follow({ beginning: this.#prompt.value, temperature: Number(this.#temperature.value), count, seed: this.#seed });
    if (answer === null || this.#state.run.value.phase === 'idle') return null;
    const { following } = answer;
    if (following === null) {
      this.#probabilities.clear('The outputs of the network are not finite numbers, so it predicts nothing.');
      return null;
    }
    this.#probabilities.show(following.probabilities, this.#shownNames);
    setText(this.#note, describeUnknown(following.unknown));
    return following.text;
  }

  async #follow(): Promise<void> {
    await this.#ask(0);
  }

  async #writeOn(): Promise<void> {
    this.#writing = true;
    setDisabled(this.#write, true);
    this.#seed += 1;
    try {
      const written = await this.#ask(WRITTEN);
      if (written !== null) {
        this.#prompt.value += written;
        this.#prompt.scrollTop = this.#prompt.scrollHeight;
        this.#following.request();
      }
    } finally {
      this.#writing = false;
      setDisabled(this.#write, this.#state.run.value.phase === 'idle');
    }
  }
}

function describeUnknown(unknown: string): string {
  if (unknown === '') return '';
  const characters = [...unknown].map((character) => `“${NAMES[character] ?? character}”`);
  const shown = characters.slice(0, 5).join(', ') + (characters.length > 5 ? ` and ${characters.length - 5} more` : '');
  return `The training text does not contain ${shown}, so the network cannot read ${characters.length === 1 ? 'it. It was' : 'them. They were'} left out.`;
}

function part(title: string, name: string, ...content: Node[]): HTMLElement {
  return element('div', { class: `look-part ${name}` }, element('h3', {}, title), ...content);
}
