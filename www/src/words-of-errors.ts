/** What went wrong, as sentences for the visitor. */

export function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function asSentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1) + (/[.!?]$/.test(words) ? '' : '.');
}

/** A run that cannot begin, or one that cannot be gone on with. */
export type StartFailure = 'refused' | 'unresumed';

export function describeFailure(error: unknown, otherwise: StartFailure | 'training' = 'training'): { kind: StartFailure | 'training' | 'crash'; message: string } {
  // A trap (a panic, memory that ran out) leaves the module in an unknown state; a thrown Error does not.
  const crashed = error instanceof WebAssembly.RuntimeError || error instanceof RangeError;
  if (crashed) return { kind: 'crash', message: `It had an error that it cannot continue from (${text(error)}).` };
  return { kind: otherwise, message: asSentence(text(error)) };
}
