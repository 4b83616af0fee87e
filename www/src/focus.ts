/**
 * A control that removes or hides itself when it is pressed would leave the keyboard at the top of the page. Here, once
 * for all of them: whenever what has the focus goes away, the focus moves to what took its place.
 */

const FOCUSABLE = 'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), summary, [tabindex]:not([tabindex="-1"])';
/** On an element that hides itself: the id of the control that a visitor wants next. */
const NEXT = 'data-focus-next';

/** The element that has, or had, the focus. */
let focused: HTMLElement | null = null;

export function keepFocus(): void {
  document.addEventListener('focusin', ({ target }) => (focused = target instanceof HTMLElement ? target : null));
  // A click on nothing takes the focus away on purpose. An element that is being removed loses it too, before it is gone.
  document.addEventListener('focusout', ({ target }) =>
    queueMicrotask(() => {
      if (target === focused && focused !== null && isUsable(focused)) focused = null;
    }),
  );
  const observer = new MutationObserver((records) => {
    if (focused !== null && !isUsable(focused)) moveFrom(focused, records);
  });
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['hidden', 'disabled'] });
}

/** All that this page hides, it hides by its attribute. */
function isUsable(element: Element): boolean {
  return element.isConnected && element.closest('[hidden]') === null && !element.matches(':disabled');
}

function moveFrom(lost: HTMLElement, records: readonly MutationRecord[]): void {
  focused = null;
  const { activeElement } = document;
  // Somebody has seen to it.
  if (activeElement !== null && activeElement !== document.body && activeElement !== lost) return;
  const next = lost.isConnected ? successorOfHidden(lost) : successorOfRemoved(lost, records);
  (next ?? document.querySelector<HTMLElement>('main [tabindex="-1"]'))?.focus({ preventScroll: false });
}

function successorOfHidden(lost: HTMLElement): HTMLElement | null {
  const root = lost.closest<HTMLElement>('[hidden]') ?? lost;
  const wanted = document.getElementById(root.closest(`[${NEXT}]`)?.getAttribute(NEXT) ?? '');
  return wanted !== null && isUsable(wanted) ? wanted : nearest(root, root.parentElement);
}

function successorOfRemoved(lost: HTMLElement, records: readonly MutationRecord[]): HTMLElement | null {
  const record = records.filter(({ removedNodes }) => [...removedNodes].some((node) => node === lost || node.contains(lost))).at(-1);
  if (record === undefined || !(record.target instanceof Element)) return null;
  const places = [...record.addedNodes, record.nextSibling, record.previousSibling].filter((node) => node instanceof Element && node.isConnected) as Element[];
  // Rows of a table, entries of a list: the same button of the neighbour.
  for (const place of places) {
    const controls = controlsIn(place);
    const same = controls.find((control) => control.tagName === lost.tagName && control.textContent === lost.textContent);
    if (same !== undefined) return same;
    if (controls[0] !== undefined) return controls[0];
  }
  return nearest(places[0] ?? record.target, record.target);
}

/** The first control after a place, or else the last before it, within the smallest part of the page that has one. */
function nearest(place: Element, within: Element | null): HTMLElement | null {
  for (let part = within; part !== null; part = part.parentElement) {
    const controls = controlsIn(part).filter((control) => !place.contains(control));
    const after = controls.find((control) => (place.compareDocumentPosition(control) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0);
    const next = after ?? controls.at(-1);
    if (next !== undefined) return next;
  }
  return null;
}

function controlsIn(part: Element): HTMLElement[] {
  const inside = [...part.querySelectorAll<HTMLElement>(FOCUSABLE)];
  const own = part instanceof HTMLElement && part.matches(FOCUSABLE) ? [part] : [];
  return [...own, ...inside].filter((control) => isUsable(control) && control.getClientRects().length > 0);
}
