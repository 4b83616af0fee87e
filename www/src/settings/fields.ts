/** One form field for each kind of setting: a label, an input, a hint, and room for what is wrong. */
import { element, setText } from '../dom.js';
import { readList, readNumber } from '../numbers.js';
import type { CheckboxSpec, FieldSpec, NumberSpec, SelectSpec, SeveralSpec, TextSpec } from './field-specs.js';
import { MOST_OBSERVED, OBSERVABLE, observedNames, withObserved } from './observable.js';

export interface Field {
  readonly id: string;
  readonly root: HTMLElement;
  /** What is typed there is no value at all. */
  readonly hasMistake: boolean;
  /** Shows the value of a newer spec of the same field. A mistake stays, to be corrected, until the value is another one. */
  show(spec: FieldSpec): void;
  /** Shows the value again in the place of a mistake. */
  forgetMistake(): void;
  /** Shows what the core finds wrong with the value; null when nothing is. */
  mark(problem: string | null): void;
}

export interface FieldListener {
  onValue(id: string, value: number | null | string | boolean): void;
  /** What was typed is no value at all. */
  onMistake(): void;
}

export function createField(spec: FieldSpec, listener: FieldListener): Field {
  switch (spec.kind) {
    case 'number':
      return createNumberField(spec, listener);
    case 'select':
      return createSelectField(spec, listener);
    case 'checkbox':
      return createCheckboxField(spec, listener);
    case 'text':
      return createTextField(spec, listener);
    case 'several':
      return createSeveralField(spec, listener);
  }
}

function createNumberField(spec: NumberSpec, listener: FieldListener): Field {
  const input = element('input', {
    id: `setting-${spec.id}`,
    type: 'text',
    inputmode: spec.whole ? 'numeric' : 'decimal',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const mistakes = mistakeBelow(spec, input);
  const root = wrap(spec, input, mistakes.root);
  let shown = spec.value;
  let typingMistake: string | null = null;
  let problem: string | null = null;
  const refresh = (): void => mistakes.show(typingMistake ?? problem);
  const showMistake = (mistake: string | null): void => {
    typingMistake = mistake;
    refresh();
  };
  const mark = (next: string | null): void => {
    problem = next;
    refresh();
  };
  input.addEventListener('input', () => {
    const reading = readNumber(input.value, spec);
    showMistake(reading.mistake);
    if (reading.mistake === null) listener.onValue(spec.id, reading.value);
    else listener.onMistake();
  });
  const write = (): void => {
    input.value = shown === null ? '' : String(shown);
    showMistake(null);
  };
  const show = (next: FieldSpec): void => {
    if (next.kind !== 'number') return;
    retitle(root, next);
    const isSame = next.value === shown;
    shown = next.value;
    if (typingMistake !== null && isSame) return;
    // What is being typed (say "0.0") is left alone while it means the value shown.
    const typed = readNumber(input.value, spec);
    if (document.activeElement === input && typed.mistake === null && typed.value === shown) return;
    write();
  };
  const forgetMistake = (): void => {
    if (typingMistake !== null) write();
  };
  write();
  return {
    id: spec.id,
    root,
    get hasMistake() {
      return typingMistake !== null;
    },
    show,
    forgetMistake,
    mark,
  };
}

/** Of a field in which only values can be chosen. */
const WITHOUT_MISTAKES = { hasMistake: false, forgetMistake: () => undefined };

/** What is wrong with a field's value, in words below it. */
function mistakeBelow(spec: FieldSpec, control: HTMLElement): { root: HTMLElement; show: (mistake: string | null) => void } {
  const root = element('p', { class: 'field-mistake', id: `mistake-${spec.id}` });
  root.hidden = true;
  const show = (mistake: string | null): void => {
    root.textContent = mistake ?? '';
    root.hidden = mistake === null;
    if (mistake === null) control.removeAttribute('aria-invalid');
    else control.setAttribute('aria-invalid', 'true');
  };
  return { root, show };
}

function createSelectField(spec: SelectSpec, listener: FieldListener): Field {
  const select = element('select', { id: `setting-${spec.id}` });
  const mistakes = mistakeBelow(spec, select);
  const root = wrap(spec, select, mistakes.root);
  let shown = '';
  select.addEventListener('change', () => listener.onValue(spec.id, select.value));
  const show = (next: FieldSpec): void => {
    if (next.kind !== 'select') return;
    const options = JSON.stringify(next.options);
    if (options !== shown) select.replaceChildren(...next.options.map(({ value, title }) => new Option(title, value)));
    shown = options;
    select.value = next.value;
    retitle(root, next);
  };
  show(spec);
  return { ...WITHOUT_MISTAKES, id: spec.id, root, show, mark: mistakes.show };
}

/** A list of sizes or milestones: whether the setting can be that, the core tells. */
function createTextField(spec: TextSpec, listener: FieldListener): Field {
  const input = element('input', { id: `setting-${spec.id}`, type: 'text', autocomplete: 'off', spellcheck: 'false' });
  const mistakes = mistakeBelow(spec, input);
  const root = wrap(spec, input, mistakes.root);
  let shown = spec.value;
  let typingMistake: string | null = null;
  let problem: string | null = null;
  const refresh = (): void => mistakes.show(typingMistake ?? problem);
  input.addEventListener('input', () => {
    const { value, mistake } = readList(input.value);
    typingMistake = mistake;
    refresh();
    if (value === null) listener.onMistake();
    else listener.onValue(spec.id, value);
  });
  const write = (): void => {
    input.value = shown;
    typingMistake = null;
    refresh();
  };
  const show = (next: FieldSpec): void => {
    if (next.kind !== 'text') return;
    retitle(root, next);
    const isSame = next.value === shown;
    shown = next.value;
    if (typingMistake !== null && isSame) return;
    // What is being typed stays as it is while it means the value shown.
    if (readList(input.value).value !== shown) write();
  };
  write();
  return {
    id: spec.id,
    root,
    get hasMistake() {
      return typingMistake !== null;
    },
    show,
    forgetMistake: () => {
      if (typingMistake !== null) write();
    },
    mark: (next) => {
      problem = next;
      refresh();
    },
  };
}

function createCheckboxField(spec: CheckboxSpec, listener: FieldListener): Field {
  const input = element('input', { id: `setting-${spec.id}`, type: 'checkbox' });
  const label = element('label', { for: input.id }, spec.label);
  const root = element('div', { class: 'field field-checkbox' }, input, label);
  if (spec.hint !== undefined) {
    const hint = element('p', { class: 'field-hint', id: `hint-${spec.id}` }, spec.hint);
    input.setAttribute('aria-describedby', hint.id);
    root.append(hint);
  }
  input.addEventListener('change', () => listener.onValue(spec.id, input.checked));
  const show = (next: FieldSpec): void => {
    if (next.kind !== 'checkbox') return;
    retitle(root, next);
    input.checked = next.value;
  };
  show(spec);
  return { ...WITHOUT_MISTAKES, id: spec.id, root, show, mark: () => undefined };
}

/** A box for each name, by kind. */
function createSeveralField(spec: SeveralSpec, listener: FieldListener): Field {
  const boxes = new Map<string, HTMLInputElement>();
  const hint = element('p', { class: 'field-hint', id: `hint-${spec.id}` }, spec.hint ?? '');
  const root = element('div', { class: 'field field-several', id: `setting-${spec.id}`, role: 'group', 'aria-label': spec.label });
  const mistakes = mistakeBelow(spec, root);
  root.setAttribute('aria-describedby', `${mistakes.root.id} ${hint.id}`);
  const list = element('div', { class: 'field-several-list' });
  root.append(mistakes.root, hint, list);
  let shown = spec.value;
  for (const { title, quantities } of OBSERVABLE) {
    const kind = element('fieldset', {}, element('legend', {}, title));
    for (const { name, title: label, doc } of quantities) {
      const box = element('input', { id: `setting-${spec.id}-${name}`, type: 'checkbox', 'aria-describedby': `hint-${spec.id}-${name}` });
      const below = element('p', { class: 'field-hint', id: `hint-${spec.id}-${name}` }, doc);
      box.addEventListener('change', () => {
        shown = withObserved(shown, name, box.checked);
        listener.onValue(spec.id, shown);
      });
      boxes.set(name, box);
      kind.append(element('div', { class: 'field-checkbox' }, box, element('label', { for: box.id }, label), below));
    }
    list.append(kind);
  }
  const show = (next: FieldSpec): void => {
    if (next.kind !== 'several') return;
    shown = next.value;
    const names = observedNames(shown);
    for (const [name, box] of boxes) {
      box.checked = names.includes(name);
      box.disabled = names.length >= MOST_OBSERVED && !box.checked;
    }
  };
  show(spec);
  return { ...WITHOUT_MISTAKES, id: spec.id, root, show, mark: mistakes.show };
}

/** Rules have settings of the same name, and a hint may be about what is chosen. */
function retitle(root: HTMLElement, { label, hint }: FieldSpec): void {
  const [title, below] = [root.querySelector('label'), root.querySelector('.field-hint')];
  if (title !== null) setText(title, label);
  if (below !== null && hint !== undefined) setText(below, hint);
}

function wrap(spec: FieldSpec, input: HTMLInputElement | HTMLSelectElement, mistake?: HTMLElement): HTMLElement {
  const label = element('label', { for: input.id }, spec.label);
  const root = element('div', { class: 'field' }, label, input);
  const described: string[] = [];
  if (mistake !== undefined) {
    described.push(mistake.id);
    root.append(mistake);
  }
  if (spec.hint !== undefined) {
    const hint = element('p', { class: 'field-hint', id: `hint-${spec.id}` }, spec.hint);
    described.push(hint.id);
    root.append(hint);
  }
  if (described.length > 0) input.setAttribute('aria-describedby', described.join(' '));
  return root;
}
