/** Which part of the work a worker does: its address says so. */

/** What there are workers for beside the one that trains. */
export const PARTS = ['member-worker', 'own-files-worker'] as const;
type Part = (typeof PARTS)[number];

/**
 * The address of a worker for a part, from that of the one that trains. The built page has a file for each (vite-workers.ts);
 * Vite's development server answers the same address with a query.
 */
export function addressFor(part: Part, training: string): string {
  const address = new URL(training, location.href);
  const file = address.pathname.replace(/\/worker-(?=[^/]*$)/, `/${part}-`);
  if (file === address.pathname) {
    address.searchParams.set('part', part);
  } else {
    address.pathname = file;
    address.search = '';
  }
  return address.href;
}

/** The part of the worker that asks. */
export function ownPart(): Part | 'training' {
  const { pathname, search } = location;
  const file = pathname.slice(pathname.lastIndexOf('/') + 1);
  return PARTS.find((part) => file.startsWith(`${part}-`) || new URLSearchParams(search).get('part') === part) ?? 'training';
}
