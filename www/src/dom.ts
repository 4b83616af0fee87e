/** The little that this page needs to build and find elements. */

export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  return created;
}

/** Finds an element that index.html promises; its absence is a mistake of ours. */
export function required<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no #${id} of the expected kind`);
  return found;
}

/** Writes only what changed, so that layout and screen readers are left in peace. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Like `disabled`, but the element keeps the keyboard focus; its click handler has to look at `isDisabled`.
 */
export function setDisabled(target: HTMLElement, disabled: boolean): void {
  if (disabled) target.setAttribute('aria-disabled', 'true');
  else target.removeAttribute('aria-disabled');
}

export function isDisabled(target: HTMLElement): boolean {
  return target.getAttribute('aria-disabled') === 'true';
}

/**
 * One press, one action, unless the button is disabled: the second click of a double click and the repeats of a key that
 * is held down are no further presses, because a button that starts would stop again at once.
 */
export function onPress(button: HTMLButtonElement, action: () => void): void {
  button.addEventListener('keydown', (event) => {
    if (event.repeat && (event.key === 'Enter' || event.key === ' ')) event.preventDefault();
  });
  button.addEventListener('click', (event) => {
    if (event.detail <= 1 && !isDisabled(button)) action();
  });
}

/** Every click and every repeat of a key is an action: for what can be done many times in a row. */
export function onRepeatedPress(button: HTMLButtonElement, action: () => void): void {
  button.addEventListener('click', () => {
    if (!isDisabled(button)) action();
  });
}
