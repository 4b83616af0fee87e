/** What one sample of a data set is: an image of one to four channels, or a sequence of tokens. */
import type { ModelName, RunConfig, SampleShape, TextSettings } from '../pkg/adadagrad_web.js';

export const MNIST_SHAPE: SampleShape = { channels: 1, height: 28, width: 28, classes: 10 };

/** Of an image, without its classes. */
export type ImageShape = Pick<SampleShape, 'channels' | 'height' | 'width'>;

export function bytesOf({ channels, height, width }: ImageShape): number {
  return channels * height * width;
}

export function isSequence({ sequence }: Pick<SampleShape, 'sequence'>): boolean {
  return sequence === true;
}

/** What samples are called: one of them. */
export function nounOf(shape: Pick<SampleShape, 'sequence'>): 'image' | 'sequence' {
  return isSequence(shape) ? 'sequence' : 'image';
}

/** Grey images of MNIST's size: what the drawing pad draws. */
export function isLikeMnist({ channels, height, width, sequence }: ImageShape & Pick<SampleShape, 'sequence'>): boolean {
  return sequence !== true && channels === MNIST_SHAPE.channels && height === MNIST_SHAPE.height && width === MNIST_SHAPE.width;
}

export function sameShape(one: SampleShape, other: SampleShape): boolean {
  return one.channels === other.channels && one.height === other.height && one.width === other.width && one.classes === other.classes && isSequence(one) === isSequence(other);
}

/** “32 × 32 pixels in colour”, width first. */
export function describeImages({ channels, height, width }: ImageShape): string {
  const kind = channels === 1 ? 'in grey' : channels === 3 ? 'in colour' : `with ${channels} channels`;
  return `${width} × ${height} pixels ${kind}`;
}

/** “sequences of 32 characters, of which there are 69”; tokens are characters or bytes. */
export function describeSequences({ width, classes }: SampleShape, tokens: TextSettings['tokens']): string {
  return `sequences of ${width} ${tokens}, of which there are ${classes} different ones`;
}

/** Networks that read texts. */
export function readsText(model: ModelName): boolean {
  return model.startsWith('transformer');
}

/** Whether settings are for a text; files of the visitor's may be one, which their network tells. */
export function isOfText({ dataset, model }: Pick<RunConfig, 'dataset' | 'model'>): boolean {
  return dataset === 'shakespeare' || (dataset === 'own' && readsText(model));
}
