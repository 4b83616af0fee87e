/**
 * What of the page is shown, as the address says after the question mark: everything; one picture alone, for a slide
 * (`?embed=batch`, `test` or `chart`); or the page of a class, whose settings are those of its link (`?class`).
 */
import { oneOf, quoted } from '../brief.js';

/** By the element that remains. */
const PICTURES = { batch: 'mosaic', test: 'figure', chart: 'chart-batch' } as const;
type Picture = keyof typeof PICTURES;

export interface View {
  /** The picture that is shown alone; null: the page. */
  embed: Picture | null;
  /** Settings are fixed, and what a class does not need is hidden. */
  isForClass: boolean;
  /** What could not be read, in a sentence. */
  problem: string | null;
}

export function readView(search: string): View {
  const words = new URLSearchParams(search);
  const wanted = words.get('embed');
  const embed = isPicture(wanted) ? wanted : null;
  const problem = wanted === null || embed !== null ? null : `${quoted(`embed=${wanted}`)} is not valid: embed must be ${oneOf(Object.keys(PICTURES))}.`;
  return { embed, isForClass: embed === null && words.has('class'), problem };
}

function isPicture(word: string | null): word is Picture {
  return word !== null && Object.hasOwn(PICTURES, word);
}

/** `press`: what the main button does. A picture alone begins by itself, and a click on it pauses and resumes. */
export function showView({ embed, isForClass }: View, press: () => void): void {
  const { dataset } = document.documentElement;
  if (isForClass) dataset['view'] = 'class';
  if (embed === null) return;
  dataset['view'] = 'embed';
  const shown = document.getElementById(PICTURES[embed]);
  shown?.classList.add('embedded');
  shown?.addEventListener('click', press);
  press();
}
