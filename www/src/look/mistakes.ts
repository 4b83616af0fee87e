/** The test images that the network reads wrongly and is surest of. Each can be put on the drawing pad. */
import type { Look } from '../../pkg/adadagrad_web.js';
import { element, setText } from '../dom.js';
import { formatPercent } from '../format.js';
import { bytesOf, MNIST_SHAPE } from '../samples.js';
import type { ImageShape } from '../samples.js';
import { paintThumbnail, thumbnail } from './thumbnail.js';

interface Entry {
  root: HTMLLIElement;
  button: HTMLButtonElement;
  canvas: HTMLCanvasElement;
  label: HTMLElement;
  predicted: HTMLElement;
  probability: HTMLElement;
  pixels: Uint8Array | null;
}

export class Mistakes {
  readonly root = element('ul', { class: 'mistakes' });
  readonly #choose: (pixels: Uint8Array) => void;
  /** Kept and filled anew, so that the keyboard focus stays where it is. */
  readonly #entries: Entry[] = [];
  #shape: ImageShape = MNIST_SHAPE;
  #advice = '';

  constructor(choose: (pixels: Uint8Array) => void) {
    this.#choose = choose;
  }

  show(mistakes: Look['mistakes'], images: Uint8Array, shape: ImageShape, names: readonly string[]): void {
    this.#shape = shape;
    const bytes = bytesOf(shape);
    mistakes.forEach((mistake, index) => {
      const entry = this.#entries[index] ?? this.#add();
      entry.root.hidden = false;
      entry.pixels = images.slice(index * bytes, (index + 1) * bytes);
      paintThumbnail(entry.canvas, entry.pixels, shape);
      const label = names[mistake.label] ?? String(mistake.label);
      const predicted = names[mistake.predicted] ?? String(mistake.predicted);
      setText(entry.label, `is ${label}`);
      setText(entry.predicted, `classified as ${predicted}`);
      setText(entry.probability, Number.isFinite(mistake.probability) ? formatPercent(mistake.probability) : '–');
      entry.button.dataset['sample'] = String(mistake.sample);
    });
    for (const entry of this.#entries.slice(mistakes.length)) entry.root.hidden = true;
  }

  /** What a press does, in a few words. */
  advise(advice: string): void {
    this.#advice = advice;
    for (const { button } of this.#entries) button.title = advice;
  }

  clear(): void {
    for (const entry of this.#entries) entry.root.hidden = true;
  }

  recolour(): void {
    for (const entry of this.#entries) paintThumbnail(entry.canvas, entry.pixels, this.#shape);
  }

  #add(): Entry {
    const canvas = thumbnail();
    const [label, predicted, probability] = [element('span'), element('span', { class: 'mistake-read' }), element('span')];
    const button = element('button', { type: 'button', class: 'mistake', title: this.#advice }, canvas, label, predicted, probability);
    const entry: Entry = { root: element('li', {}, button), button, canvas, label, predicted, probability, pixels: null };
    button.addEventListener('click', () => {
      if (entry.pixels !== null) this.#choose(entry.pixels);
    });
    this.#entries.push(entry);
    this.root.append(entry.root);
    return entry;
  }
}
