/** What the page remembers about engines from visit to visit, where the browser lets it. */
import type { KernelChoice } from '../../pkg/adadagrad_web.js';
import { recall, remember } from '../remembered.js';
import { isEngineChoice } from './choice.js';
import type { EngineChoice } from './choice.js';

const CHOICE_KEY = 'adadagrad.engine';
const KERNELS_KEY = 'adadagrad.kernels';

export function recallChoice(): EngineChoice {
  const choice = recall(CHOICE_KEY);
  return isEngineChoice(choice) ? choice : 'auto';
}

export function rememberChoice(choice: EngineChoice): void {
  remember(CHOICE_KEY, choice);
}

/** Which kernels an earlier visit chose for an adapter: it saves another trial. */
export function recallKernels(adapter: string): KernelChoice | null {
  try {
    const kernels: unknown = JSON.parse(recall(kernelsKey(adapter)) ?? 'null');
    return isObject(kernels) ? kernels : null;
  } catch {
    // Somebody wrote something else there: then they are chosen anew.
    return null;
  }
}

export function rememberKernels(adapter: string, kernels: KernelChoice): void {
  remember(kernelsKey(adapter), JSON.stringify(kernels));
}

function kernelsKey(adapter: string): string {
  return `${KERNELS_KEY}.${adapter}`;
}

function isObject(value: unknown): value is KernelChoice {
  return typeof value === 'object' && value !== null;
}
