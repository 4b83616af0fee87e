/** What the classes of a data set are called, and what there is to count and to draw. */
import type { DatasetName, SampleShape } from '../pkg/adadagrad_web.js';
import { isLikeMnist } from './samples.js';

const CLOTHES = ['T-shirt', 'Trousers', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Boot'];
const numbered = new Map<number, readonly string[]>();

/** `own`: the names that the visitor's files give; without any, classes are numbers. The same list each time. */
export function classNames(dataset: DatasetName, classes = 10, own: readonly string[] = []): readonly string[] {
  if (own.length > 0) return own;
  if (dataset === 'fashion_mnist') return CLOTHES;
  const names = numbered.get(classes) ?? Array.from({ length: classes }, (_, index) => String(index));
  numbered.set(classes, names);
  return names;
}

/** What they are together, for a count of each. */
export function classKind(dataset: DatasetName): string {
  if (dataset === 'mnist') return 'digit';
  return dataset === 'fashion_mnist' ? 'piece of clothing' : 'class';
}

/** The title of the place where the network is given a picture. */
export function drawingTitle(dataset: DatasetName, shape: SampleShape): string {
  if (!isLikeMnist(shape)) return 'Classify a test image';
  if (dataset === 'own') return 'Draw a picture';
  return dataset === 'fashion_mnist' ? 'Draw a piece of clothing' : 'Draw a digit';
}
