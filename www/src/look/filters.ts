/** The first layer's weights as pictures: what each of its units looks for. */
import type { ModelDescription, SampleShape } from '../../pkg/adadagrad_web.js';
import { colourOf } from '../colours.js';
import type { Rgb } from '../colours.js';
import { element, setText } from '../dom.js';
import { formatCount, formatMeasure } from '../format.js';

interface Bank {
  count: number;
  /** Weights of one picture's pixel: one is drawn as ink of two colours, three as red, green and blue. */
  channels: number;
  width: number;
  height: number;
  weights: Float32Array;
  /** There is no other layer: each unit is a class of its own. */
  isOfClasses: boolean;
}

/** Tensors of one layer. */
const WEIGHTS_AND_BIASES = 2;
/** Of an MLP with many units the first ones tell enough. */
const MOST_PICTURES = 128;

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

  /** `names`: of the classes. */
  show(values: Float32Array, model: ModelDescription, shape: SampleShape, names: readonly string[]): void {
    this.#bank = firstBank(values, model, shape);
    this.#names = this.#bank?.isOfClasses === true ? names : null;
    this.#paint();
  }

  clear(): void {
    this.#bank = null;
    this.#list.replaceChildren();
    setText(this.#text, 'The weights of the first layer are shown here once a run has started.');
  }

  recolour(): void {
    if (this.#bank !== null) this.#paint();
  }

  #paint(): void {
    const bank = this.#bank;
    if (bank === null) {
      this.#list.replaceChildren();
      setText(this.#text, 'The weights of this network’s first layer cannot be drawn as pictures.');
      return;
    }
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

/** The first tensor holds the first layer's weights: [out, channels, height, width], or [out, channels · height · width]. */
function firstBank(values: Float32Array, model: ModelDescription, shape: SampleShape): Bank | null {
  const place = model.tensors[0];
  if (place === undefined) return null;
  const [all = 0, inputs = 0, height = shape.height, width = shape.width] = place.shape;
  const channels = place.shape.length === 2 ? inputs / (shape.height * shape.width) : inputs;
  if (channels !== 1 && channels !== 3) return null;
  const count = Math.min(all, MOST_PICTURES);
  const isOfClasses = place.shape.length === 2 && model.tensors.length <= WEIGHTS_AND_BIASES;
  return { count, channels, width, height, isOfClasses, weights: values.slice(place.offset, place.offset + count * channels * width * height) };
}

/**
 * Of one channel, the weight's sign chooses the colour, its size the strength; 0 lets the ground through. Of three, they are
 * red, green and blue around a middle grey.
 */
function paintFilter(canvas: HTMLCanvasElement, bank: Bank, index: number, strongest: number, paints: { plus: Rgb; minus: Rgb }): void {
  const { channels, width, height, weights } = bank;
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) return;
  const image = context.createImageData(width, height);
  const area = width * height;
  for (let pixel = 0; pixel < area; pixel += 1) {
    const parts = Array.from({ length: channels }, (_, channel) => {
      const weight = weights[(index * channels + channel) * area + pixel] ?? 0;
      return strongest === 0 ? 0 : weight / strongest;
    });
    const [only = 0] = parts;
    if (channels === 1) image.data.set([...(only > 0 ? paints.plus : paints.minus), Math.round(255 * Math.abs(only))], 4 * pixel);
    else image.data.set([...parts.map((part) => Math.round(127.5 * (1 + part))), 255], 4 * pixel);
  }
  context.putImageData(image, 0, 0);
}

function describe({ count, channels, width, height }: Bank, strongest: number, named: boolean): string {
  const units = named ? `one picture for each of the ${formatCount(count)} classes` : `${formatCount(count)} pictures`;
  if (channels === 3) {
    return (
      `The first layer’s weights: ${units}, ${width} × ${height} pixels each. Red, green and blue of a pixel are the weights of the image’s: ` +
      `mid-grey is 0, brighter increases the unit’s output, darker decreases it; the largest weight is ${formatMeasure(strongest)}.`
    );
  }
  return (
    `The first layer’s weights: ${units}, ${width} × ${height} weights each. Ink where a pixel is blue increases the unit’s output, ` +
    `ink where it is orange decreases it; the largest weight is ${formatMeasure(strongest)}.`
  );
}
