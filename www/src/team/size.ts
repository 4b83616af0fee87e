/** How many workers compute. */

/** More would take memory for their copies of the data that few devices give a tab. */
const MOST_MEMBERS = 4;

/** Workers besides the one that leads, which has little to do; 0: it computes alone. */
export function teamSize(processors: number): number {
  return processors >= 2 ? Math.min(processors, MOST_MEMBERS) : 0;
}
