/** The scene in words, and the way through the scenes: by buttons, arrow keys and Escape. While it is open, the page shows nothing else. */
import './guide.css';
import { onPress, required, setDisabled, setText } from '../dom.js';
import type { Guide, Playing } from './guide.js';
import { sceneNamed, SCENES } from './scenes.js';
import type { Scene } from './scenes.js';

const WORD = 'scene';
/** What uses arrow keys itself. */
const USES_ARROWS = 'input, select, textarea, [contenteditable], .chart-stage, [role=application]';

export class GuidePanel {
  readonly #guide: Guide;
  readonly #root = required('guide', HTMLElement);
  readonly #place = required('guide-place', HTMLElement);
  readonly #title = required('guide-title', HTMLElement);
  readonly #sentence = required('guide-sentence', HTMLElement);
  readonly #ended = required('guide-ended', HTMLElement);
  readonly #back = required('guide-back', HTMLButtonElement);
  readonly #next = required('guide-next', HTMLButtonElement);

  constructor(guide: Guide) {
    this.#guide = guide;
    const begin = required('show-me', HTMLButtonElement);
    begin.hidden = false;
    onPress(begin, () => void this.#open(SCENES[0] ?? null).then(() => this.#next.focus()));
    onPress(this.#back, () => void this.#open(guide.neighbour(-1)));
    onPress(this.#next, () => this.#goOn());
    onPress(required('guide-close', HTMLButtonElement), () => guide.close());
    document.addEventListener('keydown', (event) => this.#takeKey(event));
    // Before the address follows the guide.
    const asked = sceneInAddress();
    guide.playing.observe((playing) => this.#show(playing));
    void this.#open(asked);
  }

  async #open(scene: Scene | null): Promise<void> {
    if (scene !== null) await this.#guide.open(scene);
  }

  #goOn(): void {
    const next = this.#guide.neighbour(1);
    if (next === null) this.#guide.close();
    else void this.#guide.open(next);
  }

  #takeKey(event: KeyboardEvent): void {
    const isOthers = event.defaultPrevented || event.repeat || event.isComposing || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
    if (this.#guide.playing.value === null || isOthers) return;
    if (event.key === 'Escape') this.#guide.close();
    if (event.target instanceof Element && event.target.closest(USES_ARROWS) !== null) return;
    if (event.key === 'ArrowRight') void this.#open(this.#guide.neighbour(1));
    if (event.key === 'ArrowLeft') void this.#open(this.#guide.neighbour(-1));
  }

  #show(playing: Playing | null): void {
    const { dataset } = document.documentElement;
    this.#root.hidden = playing === null;
    writeAddress(playing?.scene.name ?? null);
    if (playing === null) {
      delete dataset['guide'];
      return;
    }
    const { scene, told, ended } = playing;
    dataset['guide'] = scene.kind;
    const number = SCENES.indexOf(scene) + 1;
    setText(this.#place, `Scene ${number} of ${SCENES.length}`);
    setText(this.#title, scene.title);
    setText(this.#sentence, told ?? scene.beginning);
    this.#root.dataset['told'] = String(told !== null);
    this.#ended.hidden = ended === '';
    setText(this.#ended, ended);
    setDisabled(this.#back, number === 1);
    setText(this.#next, number === SCENES.length ? 'Train it yourself' : 'Next');
  }
}

function sceneInAddress(): Scene | null {
  return sceneNamed(new URLSearchParams(location.search).get(WORD));
}

/** The address of the scene; its other words stay. */
function writeAddress(name: string | null): void {
  const words = new URLSearchParams(location.search);
  if (words.get(WORD) === name) return;
  if (name === null) words.delete(WORD);
  else words.set(WORD, name);
  // A word without a value is written as it was: “class”, not “class=”.
  const search = words.toString().replaceAll(/=(?=&|$)/g, '');
  try {
    history.replaceState(null, '', `${location.pathname}${search === '' ? '' : `?${search}`}${location.hash}`);
  } catch {
    // Some browsers limit how often the address may change.
  }
}
