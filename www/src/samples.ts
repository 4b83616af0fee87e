/** What one sample of a data set is: an image of one to four channels. */
import type { SampleShape } from '../pkg/adadagrad_web.js';

export const MNIST_SHAPE: SampleShape = { channels: 1, height: 28, width: 28, classes: 10 };

/** Without its classes. */
export type ImageShape = Pick<SampleShape, 'channels' | 'height' | 'width'>;

export function bytesOf({ channels, height, width }: ImageShape): number {
  return channels * height * width;
}

/** Grey images of MNIST's size: what the drawing pad draws. */
export function isLikeMnist({ channels, height, width }: ImageShape): boolean {
  return channels === MNIST_SHAPE.channels && height === MNIST_SHAPE.height && width === MNIST_SHAPE.width;
}

export function sameShape(one: SampleShape, other: SampleShape): boolean {
  return one.channels === other.channels && one.height === other.height && one.width === other.width && one.classes === other.classes;
}

/** “32 × 32 pixels in colour”, width first. */
export function describeImages({ channels, height, width }: ImageShape): string {
  const kind = channels === 1 ? 'in grey' : channels === 3 ? 'in colour' : `with ${channels} channels`;
  return `${width} × ${height} pixels ${kind}`;
}
