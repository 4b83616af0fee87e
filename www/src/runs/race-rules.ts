/** Which rules a race has: a box for each, with its sentence. What was chosen is remembered. */
import { element, required, setDisabled, setText } from '../dom.js';
import { Observable } from '../observable.js';
import { recall, remember } from '../remembered.js';
import { againstRule } from '../rule-words.js';
import { CONTROLLERS, isControllerName } from '../settings/choices.js';
import type { ControllerName } from '../settings/choices.js';
import { docOf } from '../settings/rows.js';
import { CONTROLLER_ROWS } from '../settings/table.js';
import type { PageState } from '../state.js';
import { MOST_RACERS, usualRacers } from './race-variants.js';

const REMEMBERED = 'race-rules';
/** The constant batch, which the others are measured against, first. */
const NAMES: readonly ControllerName[] = [...CONTROLLER_ROWS].map(({ name }) => name).sort((one, other) => Number(other === 'constant') - Number(one === 'constant'));

export class RaceRules {
  /** In the order of the boxes. */
  readonly chosen = new Observable<readonly ControllerName[]>([]);
  readonly #summary = required('race-rules-summary', HTMLElement);
  readonly #boxes = new Map<ControllerName, HTMLInputElement>();
  /** Null: the usual ones. */
  #own: ControllerName[] | null;

  constructor(state: PageState) {
    this.#own = read(recall(REMEMBERED));
    const list = required('race-rules', HTMLElement);
    for (const name of NAMES) list.append(this.#box(name));
    const usual = required('race-rules-usual', HTMLButtonElement);
    usual.addEventListener('click', () => this.#choose(null, state));
    state.settings.observe(() => this.#show(state));
    this.chosen.observe(() => setDisabled(usual, this.#own === null));
    for (const box of this.#boxes.values()) {
      box.addEventListener('change', () => this.#choose(NAMES.filter((name) => this.#boxes.get(name)?.checked === true), state));
    }
  }

  #box(name: ControllerName): HTMLElement {
    const box = element('input', { type: 'checkbox', id: `race-${name}`, 'aria-describedby': `race-hint-${name}` });
    this.#boxes.set(name, box);
    const hint = element('p', { class: 'field-hint', id: `race-hint-${name}` }, `${docOf(CONTROLLER_ROWS, name)} ${againstRule(name)}`.trim());
    return element('div', { class: 'field-checkbox' }, box, element('label', { for: box.id }, CONTROLLERS[name]), hint);
  }

  #choose(own: ControllerName[] | null, state: PageState): void {
    this.#own = own;
    remember(REMEMBERED, own === null ? '' : own.join(' '));
    this.#show(state);
  }

  #show({ settings }: PageState): void {
    const chosen = this.#own ?? (settings.value === null ? [] : usualRacers(settings.value));
    const isFull = chosen.length >= MOST_RACERS;
    for (const [name, box] of this.#boxes) {
      box.checked = chosen.includes(name);
      // As many as there are colours.
      box.disabled = isFull && !box.checked;
    }
    setText(this.#summary, `Rules in the race: ${chosen.length} of ${NAMES.length}${isFull ? ', the most at once' : chosen.length < 2 ? ', but a race needs two' : ''}`);
    const inOrder = NAMES.filter((name) => chosen.includes(name));
    if (inOrder.join() !== this.chosen.value.join()) this.chosen.value = inOrder;
  }
}

function read(remembered: string | null): ControllerName[] | null {
  const names = (remembered ?? '').split(' ').filter(isControllerName);
  return names.length === 0 ? null : names.slice(0, MOST_RACERS);
}
