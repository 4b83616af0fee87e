/** Whether a document belongs to a version of the page. */

/**
 * All of it is here, and all the parts that it names are among the version's files. Its own check sum says less: some
 * hosts write into the documents that they send.
 */
export function isDocumentOf(html: string, files: Readonly<Record<string, string>>): boolean {
  const parts = [...html.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, part = '']) => part);
  return parts.some((part) => part.endsWith('.js')) && parts.every((part) => part in files) && html.trimEnd().endsWith('</html>');
}
