/** Puts a link to a run into the clipboard: its settings, and its steps as they were recorded. */
import { quoted } from '../brief.js';
import { element, required, setText } from '../dom.js';
import type { TrainedRun } from '../runs/trained-run.js';
import type { PageState } from '../state.js';
import { writeAddress } from '../url/address.js';
import { encodeRun, RUN_WORD } from './run-link.js';

export async function copyLink(run: TrainedRun, state: PageState): Promise<void> {
  const note = required('runs-note', HTMLElement);
  const link = await linkTo(run, state);
  note.hidden = false;
  if (link === null) {
    setText(note, 'This browser cannot make links to runs. Save the run as JSON instead.');
    return;
  }
  try {
    await navigator.clipboard.writeText(link);
    setText(note, `The link to ${quoted(run.name)} is in the clipboard.`);
  } catch {
    // Clipboards can be forbidden, and are missing without https.
    note.replaceChildren('Copy this link: ', element('a', { href: link }, run.name));
  }
}

async function linkTo(run: TrainedRun, state: PageState): Promise<string | null> {
  const letters = await encodeRun(run);
  const address = addressOf(run, state);
  return letters === null || address === '' ? null : `${address}&${RUN_WORD}=${letters}`;
}

/** Where the run's settings can be trained again; empty before the presets are known. */
export function addressOf(run: TrainedRun, { catalogue, engineChoice, horizontalAxis }: PageState): string {
  if (catalogue.value === null) return '';
  const choices = { settings: run.config, engine: engineChoice.value, axis: horizontalAxis.value, smoothing: 0, thresholds: false };
  return `${location.href.split('#')[0] ?? ''}${writeAddress(choices, catalogue.value)}`;
}
