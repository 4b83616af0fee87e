/**
 * Images and texts are trained with other settings. What was chosen for one kind of data stays for when it comes back; what was
 * never chosen is the first preset of that kind.
 */
import type { DatasetName, Preset, RunConfig, TextSettings } from '../../pkg/adadagrad_web.js';
import { isOfText } from '../samples.js';

type Kind = 'images' | 'text';

export class SettingsByKind {
  readonly #last = new Map<Kind, RunConfig>();

  /** The settings for these data. */
  choose(config: RunConfig, dataset: DatasetName, isText: boolean, presets: readonly Preset[]): RunConfig {
    const [from, to] = [kindOf(isOfText(config)), kindOf(isText)];
    if (from === to) return { ...config, dataset };
    this.#last.set(from, config);
    return { ...structuredClone(this.#next(to, presets) ?? config), dataset };
  }

  /** How a text would be read that came now. */
  textSettings(config: RunConfig, presets: readonly Preset[]): TextSettings {
    return isOfText(config) ? config.text : (this.#next('text', presets) ?? config).text;
  }

  #next(kind: Kind, presets: readonly Preset[]): RunConfig | undefined {
    return this.#last.get(kind) ?? presets.find(({ config }) => kindOf(isOfText(config)) === kind)?.config;
  }
}

function kindOf(isText: boolean): Kind {
  return isText ? 'text' : 'images';
}
