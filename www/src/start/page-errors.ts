/** Errors of the page's own that nobody caught. Before the data is here, such an error may be why nothing more happens. */

/** Calls `tell` with what went wrong in this page's own files; what extensions do wrong is theirs. */
export function whenPageFails(tell: (message: string) => void): void {
  const folder = import.meta.url.replace(/[^/]*$/, '');
  window.addEventListener('error', ({ message, filename }) => {
    if (filename.startsWith(folder)) tell(message);
  });
  window.addEventListener('unhandledrejection', ({ reason }: PromiseRejectionEvent) => {
    if (reason instanceof Error && reason.stack?.includes(folder)) tell(reason.message);
  });
}
