/** What the start script and the program know of each other: an attribute of the document. */
const ATTRIBUTE = 'data-program';

/** The program is wired; from now on it speaks for itself. */
export function markStarted(): void {
  document.documentElement.setAttribute(ATTRIBUTE, 'started');
}

export function hasStarted(): boolean {
  return document.documentElement.hasAttribute(ATTRIBUTE);
}
