/** The list of the page's parts, above it: closed again by a choice, by Escape, and when the focus leaves it. */
import { required } from './dom.js';

export function wireContents(): void {
  const contents = required('contents', HTMLDetailsElement);
  const close = (): void => {
    contents.open = false;
  };
  contents.querySelector('ul')?.addEventListener('click', close);
  contents.addEventListener('keydown', ({ key }) => {
    if (key !== 'Escape' || !contents.open) return;
    close();
    contents.querySelector('summary')?.focus();
  });
  document.addEventListener('pointerdown', ({ target }) => {
    if (target instanceof Node && !contents.contains(target)) close();
  });
  contents.addEventListener('focusout', ({ relatedTarget }) => {
    if (relatedTarget instanceof Node && !contents.contains(relatedTarget)) close();
  });
}
