/** Files that are dropped anywhere on the page, or chosen by a button. Whatever else is dropped, the page stays. */
import { required } from '../dom.js';

export function onDroppedFiles(take: (files: File[]) => void): void {
  const { body } = document;
  document.addEventListener('dragover', (event) => {
    const hasFiles = event.dataTransfer?.types.includes('Files') === true;
    if (!hasFiles && isEditable(event.target)) return;
    // Otherwise the browser would leave the page for a link or a file that is dropped on it.
    event.preventDefault();
    if (event.dataTransfer !== null) event.dataTransfer.dropEffect = hasFiles ? 'copy' : 'none';
    body.classList.toggle('dropping', hasFiles);
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) body.classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    body.classList.remove('dropping');
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0 && isEditable(event.target)) return;
    event.preventDefault();
    if (files.length > 0) take(files);
  });
}

/** Text can be dropped there. */
function isEditable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, textarea, [contenteditable]') !== null;
}

/** The same for those who do not drag: a button that asks for files. */
export function onChosenFiles(buttonId: string, inputId: string, take: (files: File[]) => void): void {
  const input = required(inputId, HTMLInputElement);
  required(buttonId, HTMLButtonElement).addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    input.value = '';
    if (files.length > 0) take(files);
  });
}
