/** How many workers compute, and when it is worth it. */

/** More would take memory for their copies of the data that few devices give a tab. */
const MOST_MEMBERS = 4;
/** Messages take about a tenth of this. Measured on two processors: 16 images of the CNN (5 ms) are not worth it. */
const LEAST_MILLISECONDS = 6;
/** Where nobody knows yet how fast one worker is. */
const LEAST_PARTS = 4;

/** Workers besides the one that leads, which has little to do; 0: it computes alone. */
export function teamSize(processors: number): number {
  return processors >= 2 ? Math.min(processors, MOST_MEMBERS) : 0;
}

/** Whether a batch is shared out. `imagesPerSecond`: of one worker; null while it is not known. */
export function isWorthSharing(batch: number, parts: number, imagesPerSecond: number | null): boolean {
  if (parts < 2) return false;
  if (imagesPerSecond === null) return parts >= LEAST_PARTS;
  return (batch / imagesPerSecond) * 1000 >= LEAST_MILLISECONDS;
}
