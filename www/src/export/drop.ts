/** Files that are dropped on the page: data to learn from, a model to begin with, or a run to draw. */
import { required } from '../dom.js';

export interface DropActions {
  data(files: File[]): void;
  model(file: File): void;
  run(file: File): void;
}

export function takeDroppedFiles(actions: DropActions): void {
  const { body } = document;
  document.addEventListener('dragover', (event) => {
    if (event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    body.classList.add('dropping');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) body.classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    body.classList.remove('dropping');
    if (files.length === 0) return;
    event.preventDefault();
    sort(files, actions);
  });
}

function sort(files: File[], actions: DropActions): void {
  const [first] = files;
  if (first === undefined) return;
  if (first.name.endsWith('.safetensors')) actions.model(first);
  else if (first.name.endsWith('.json')) actions.run(first);
  else actions.data(files);
}

/** The same for those who do not drag: a button that asks for one file. */
export function onChosenFile(buttonId: string, inputId: string, take: (file: File) => void): void {
  const input = required(inputId, HTMLInputElement);
  required(buttonId, HTMLButtonElement).addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const chosen = input.files?.[0];
    if (chosen !== undefined) take(chosen);
    input.value = '';
  });
}
