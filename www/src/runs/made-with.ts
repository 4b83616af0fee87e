/** What a run was made with, for later readers of its files: the program and its commit, and the browser. */

export interface MadeWith {
  version: string;
  /** Of the newest change to the page's sources; “unknown” where it was built without them. */
  commit: string;
  /** As it calls itself. */
  browser: string;
}

/** Known when the page is built. */
declare const PROGRAM: Pick<MadeWith, 'version' | 'commit'>;

export function madeHere(): MadeWith {
  return { ...PROGRAM, browser: navigator.userAgent };
}

/** In two words of a file's own. */
export function originOf({ version, commit, browser }: MadeWith): { program: string; browser: string } {
  return { program: `adadagrad page ${version}, commit ${commit}`, browser };
}
