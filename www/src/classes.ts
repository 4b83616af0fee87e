/** What the ten classes of a data set are called, and what there is to count and to draw. */
import type { DatasetName } from '../pkg/adadagrad_web.js';

const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
const CLOTHES = ['T-shirt', 'Trousers', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Boot'];

export function classNames(dataset: DatasetName): readonly string[] {
  return dataset === 'fashion_mnist' ? CLOTHES : DIGITS;
}

/** What they are together, for a count of each. */
export function classKind(dataset: DatasetName): string {
  if (dataset === 'own') return 'class';
  return dataset === 'fashion_mnist' ? 'piece of clothing' : 'digit';
}

export function drawingTitle(dataset: DatasetName): string {
  return dataset === 'fashion_mnist' ? 'Draw a piece of clothing' : 'Draw a digit';
}
