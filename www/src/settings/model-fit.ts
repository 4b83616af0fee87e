/**
 * A network that suits the data. What the visitor asked for and what suits the data at hand are two things: when other data
 * come, the one that was asked for comes back where it suits them.
 */
import type { ModelDescription, ModelName, RunConfig, SampleShape } from '../../pkg/adadagrad_web.js';
import { isLikeMnist, isSequence, readsText } from '../samples.js';

/** The paper's for MNIST. */
const FOR_MNIST = ['logistic', 'mlp', 'cnn'];
/** All that are offered for any data; whether another one fits, the core tells when it is tried. */
const OFFERED = [...FOR_MNIST, 'cifar-cnn', 'resnet-8', 'resnet-14', 'resnet-20', 'resnet18'];
const TEXT_FAVOURITES = ['transformer-2-2-64'];
const COLOUR_FAVOURITES = ['cifar-cnn', 'mlp', 'logistic'];
const GREY_FAVOURITES = ['cnn', 'mlp', 'logistic'];

/** Those to choose from, of those that fit the data. */
export function offeredModels(models: ModelDescription[], shape: SampleShape): ModelDescription[] {
  return isLikeMnist(shape) ? models.filter(({ name }) => FOR_MNIST.includes(name)) : models;
}

export class ModelFit {
  #given: { asked: ModelName; instead: ModelName } | null = null;

  /** The settings with a network that suits the data; the same object where theirs does. `models`: those that fit. */
  fit(config: RunConfig, models: readonly ModelDescription[], shape: SampleShape): RunConfig {
    const { channels } = shape;
    const fits = (name: ModelName): boolean => models.some((model) => model.name === name);
    const { model: asked } = this.asked(config);
    const isKnownToFit = fits(asked) || !OFFERED.includes(asked);
    // The paper's network for grey digits is not the one for colour images, even where it fits.
    const suits = isKnownToFit && readsText(asked) === isSequence(shape) && !(channels > 1 && asked === 'cnn');
    const favourites = isSequence(shape) ? TEXT_FAVOURITES : channels > 1 ? COLOUR_FAVOURITES : GREY_FAVOURITES;
    const instead = suits ? asked : (favourites.find(fits) ?? asked);
    this.#given = instead === asked ? null : { asked, instead };
    return instead === config.model ? config : { ...config, model: instead };
  }

  /** The settings as the visitor asked for them. */
  asked(config: RunConfig): RunConfig {
    return this.#given !== null && config.model === this.#given.instead ? { ...config, model: this.#given.asked } : config;
  }
}
