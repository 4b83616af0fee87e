/** What the page remembers about engines from visit to visit, where the browser lets it. */
import { isEngineChoice } from './choice.js';
import type { EngineChoice } from './choice.js';

const CHOICE_KEY = 'adadagrad.engine';

export function recallChoice(): EngineChoice {
  const choice = recall(CHOICE_KEY);
  return isEngineChoice(choice) ? choice : 'auto';
}

export function rememberChoice(choice: EngineChoice): void {
  remember(CHOICE_KEY, choice);
}

function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    // Storage can be forbidden; then every visit is the first.
    return null;
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // As above.
  }
}
