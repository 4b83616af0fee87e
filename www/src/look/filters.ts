/** The first layer's weights as pictures: what each of its units looks for. */
import type { ModelDescription } from '../../pkg/adadagrad_web.js';
import { colourOf } from '../colours.js';
import type { Rgb } from '../colours.js';
import { element, setText } from '../dom.js';
import { formatCount, formatMeasure } from '../format.js';

interface Bank {
  count: number;
  width: number;
  height: number;
  weights: Float32Array;
}

const IMAGE_SIDE = 28;

export class Filters {
  readonly root = element('div', { class: 'filters' });
  readonly #text = element('p', { class: 'panel-note' });
  readonly #list = element('ul', { class: 'filter-list' });
  #bank: Bank | null = null;
  #names: readonly string[] | null = null;

  constructor() {
    this.root.append(this.#list, this.#text);
    this.clear();
  }

  /** `names`: where each unit of the first layer is a class of its own. */
  show(values: Float32Array, model: ModelDescription, names: readonly string[]): void {
    this.#bank = firstBank(values, model);
    this.#names = this.#bank?.count === names.length ? names : null;
    this.#paint();
  }

  clear(): void {
    this.#bank = null;
    this.#list.replaceChildren();
    setText(this.#text, 'The weights of the first layer are shown here once a run has started.');
  }

  recolour(): void {
    this.#paint();
  }

  #paint(): void {
    const bank = this.#bank;
    if (bank === null) return;
    this.#list.dataset['count'] = String(bank.count);
    this.#list.dataset['side'] = String(bank.width);
    while (this.#list.children.length > bank.count) this.#list.lastElementChild?.remove();
    while (this.#list.children.length < bank.count) this.#list.append(element('li', {}, element('canvas', { 'aria-hidden': 'true' }), element('span')));
    const strongest = bank.weights.reduce((most, weight) => (Math.abs(weight) > most ? Math.abs(weight) : most), 0);
    const paints = { plus: colourOf('--accent'), minus: colourOf('--contrast') };
    [...this.#list.children].forEach((item, index) => {
      const canvas = item.querySelector('canvas');
      if (canvas !== null) paintFilter(canvas, bank, index, strongest, paints);
      const name = item.querySelector('span');
      if (name !== null) setText(name, this.#names?.[index] ?? '');
    });
    setText(this.#text, describe(bank, strongest, this.#names !== null));
  }
}

/** The first tensor holds the first layer's weights: [out, 1, height, width] or [out, 784]. */
function firstBank(values: Float32Array, model: ModelDescription): Bank | null {
  const place = model.tensors[0];
  if (place === undefined) return null;
  const [count = 0, inputs = 0, height = IMAGE_SIDE, width = IMAGE_SIDE] = place.shape;
  const planes = place.shape.length === 2 ? inputs / (IMAGE_SIDE * IMAGE_SIDE) : inputs;
  if (planes !== 1) return null;
  return { count, width, height, weights: values.slice(place.offset, place.offset + count * width * height) };
}

/** The weight's sign chooses the colour, its size the strength; 0 lets the ground through. */
function paintFilter(canvas: HTMLCanvasElement, bank: Bank, index: number, strongest: number, paints: { plus: Rgb; minus: Rgb }): void {
  const { width, height, weights } = bank;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) return;
  const image = context.createImageData(width, height);
  const area = width * height;
  for (let pixel = 0; pixel < area; pixel += 1) {
    const weight = weights[index * area + pixel] ?? 0;
    const strength = strongest === 0 ? 0 : Math.abs(weight) / strongest;
    image.data.set([...(weight > 0 ? paints.plus : paints.minus), Math.round(255 * strength)], 4 * pixel);
  }
  context.putImageData(image, 0, 0);
}

function describe({ count, width, height }: Bank, strongest: number, named: boolean): string {
  const units = named ? `one picture for each of the ${formatCount(count)} classes` : `${formatCount(count)} pictures`;
  return (
    `The first layer’s weights: ${units}, ${width} × ${height} weights each. Ink where a pixel is blue increases the unit’s output, ` +
    `ink where it is orange decreases it; the largest weight is ${formatMeasure(strongest)}.`
  );
}
