/** The settings panel: draws the groups of field-specs.ts and writes what is chosen into the page's state. */
import type { RunConfig } from '../../pkg/adadagrad_web.js';
import { element, required, setText } from '../dom.js';
import { sameSettings } from '../state.js';
import type { PageState } from '../state.js';
import { createField } from './fields.js';
import type { Field, FieldListener } from './fields.js';
import { fieldSpecs, settingsGroups } from './field-specs.js';
import type { FieldSpec, GroupSpec } from './field-specs.js';
import { inPageWords } from './problem.js';

interface Group {
  root: HTMLElement;
  body: HTMLElement;
  fields: Map<string, Field>;
}

export class SettingsPanel {
  readonly #state: PageState;
  readonly #container = required('settings-groups', HTMLElement);
  readonly #problem = required('settings-problem', HTMLElement);
  readonly #pending = required('settings-pending', HTMLElement);
  readonly #groups = new Map<string, Group>();
  readonly #validate: (config: RunConfig) => void;
  readonly #onChange: (config: RunConfig) => void;

  /** `onChange` is given the settings as the visitor changed them. */
  constructor(state: PageState, validate: (config: RunConfig) => void, onChange: (config: RunConfig) => void) {
    this.#state = state;
    this.#validate = validate;
    this.#onChange = onChange;
    state.settings.observe((config) => this.#showSettings(config));
    // With other data, other networks can be chosen.
    state.catalogue.observe(() => this.#showSettings(state.settings.value));
    state.settingsProblem.observe(() => this.#showProblem());
    state.run.observe(() => this.#showPending());
    state.engineChoice.observe(() => this.#showPending());
  }

  #showSettings(config: RunConfig | null): void {
    const catalogue = this.#state.catalogue.value;
    if (config === null || catalogue === null) return;
    for (const spec of settingsGroups(config, catalogue)) this.#showGroup(spec);
    this.#showPending();
    this.#judge(config);
  }

  #showGroup(spec: GroupSpec): void {
    const group = this.#groups.get(spec.id) ?? this.#createGroup(spec);
    const wanted = new Set(spec.fields.map(({ id }) => id));
    for (const [id, field] of group.fields) {
      if (wanted.has(id)) continue;
      field.root.remove();
      group.fields.delete(id);
    }
    spec.fields.forEach((fieldSpec, index) => this.#showField(group, fieldSpec, index));
  }

  #createGroup(spec: GroupSpec): Group {
    const body = element('div', { class: 'settings-fields' });
    const root = spec.folded
      ? element('details', { class: 'settings-group' }, element('summary', {}, spec.title), body)
      : element('fieldset', { class: 'settings-group' }, element('legend', {}, spec.title), body);
    this.#container.append(root);
    const group: Group = { root, body, fields: new Map() };
    this.#groups.set(spec.id, group);
    return group;
  }

  /** Fields that stay are never moved: moving an element would take the focus from it. */
  #showField(group: Group, spec: FieldSpec, index: number): void {
    const existing = group.fields.get(spec.id);
    if (existing !== undefined) {
      existing.show(spec);
      return;
    }
    const field = createField(spec, this.#listener);
    group.fields.set(spec.id, field);
    group.body.insertBefore(field.root, group.body.children[index] ?? null);
  }

  readonly #listener: FieldListener = {
    onValue: (id, value) => {
      this.#change(id, value);
      this.#judge(this.#state.settings.value);
    },
    onMistake: () => this.#judge(this.#state.settings.value),
  };

  #change(id: string, value: number | null | string | boolean): void {
    const config = this.#state.settings.value;
    const spec = [...this.#specs().values()].find((candidate) => candidate.id === id);
    if (config !== null && spec !== undefined) this.#onChange(applyValue(spec, config, value));
  }

  #specs(): ReadonlyMap<string, FieldSpec> {
    const config = this.#state.settings.value;
    const catalogue = this.#state.catalogue.value;
    return config === null || catalogue === null ? new Map() : fieldSpecs(config, catalogue);
  }

  /** Whether a run could begin with what the fields hold. */
  #judge(config: RunConfig | null): void {
    if (this.hasMistakes) this.#state.settingsProblem.value = 'A value below is not valid.';
    else if (config !== null) this.#validate(config);
  }

  /** A preset replaces all values, so what was mistyped is gone too. */
  forgetMistakes(): void {
    for (const field of this.#fields()) field.forgetMistake();
    this.#state.settingsProblem.value = null;
  }

  get hasMistakes(): boolean {
    return this.#fields().some((field) => field.hasMistake);
  }

  #fields(): Field[] {
    return [...this.#groups.values()].flatMap(({ fields }) => [...fields.values()]);
  }

  #showProblem(): void {
    const raw = this.#state.settingsProblem.value;
    const problem = raw === null ? null : inPageWords(raw, this.#specs());
    setText(this.#problem, problem?.message ?? '');
    this.#problem.hidden = problem === null;
    for (const { root, fields } of this.#groups.values()) {
      for (const field of fields.values()) field.mark(field.id === problem?.fieldId ? problem.message : null);
      if (root instanceof HTMLDetailsElement && problem?.fieldId && fields.has(problem.fieldId)) root.open = true;
    }
  }

  #showPending(): void {
    const { config, engineChoice } = this.#state.run.value;
    const sameEngine = engineChoice === this.#state.engineChoice.value;
    const differs = config !== null && !(sameEngine && sameSettings(config, this.#state.settings.value));
    if (this.#pending.hidden === differs) this.#pending.hidden = !differs;
  }
}

function applyValue(spec: FieldSpec, config: RunConfig, value: number | null | string | boolean): RunConfig {
  if (spec.kind === 'number') return typeof value === 'number' || value === null ? spec.change(config, value) : config;
  if (spec.kind === 'select' || spec.kind === 'text' || spec.kind === 'several') return typeof value === 'string' ? spec.change(config, value) : config;
  return typeof value === 'boolean' ? spec.change(config, value) : config;
}
