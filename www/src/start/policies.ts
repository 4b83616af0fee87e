/** What a Content-Security-Policy of the site forbids, in words: browsers report it apart from the error that it leads to. */

const WEBASSEMBLY = 'The Content-Security-Policy of this site forbids WebAssembly: its script-src must allow “wasm-unsafe-eval”.';

/** By the directive that was violated. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^(worker|child)-src/, 'The Content-Security-Policy of this site forbids workers, which training requires: its worker-src must allow “self”.'],
  [/^connect-src/, 'The Content-Security-Policy of this site forbids downloads: its connect-src must allow “self”.'],
  [/trusted-types/, 'The Content-Security-Policy of this site requires Trusted Types: its trusted-types must allow the policy “default”.'],
];

let violated: string | null = null;
let listener: ((words: string) => void) | null = null;

globalThis.addEventListener('securitypolicyviolation', (event) => {
  const { effectiveDirective, blockedURI } = event as SecurityPolicyViolationEvent;
  const words = blockedURI === 'wasm-eval' ? WEBASSEMBLY : WORDS.find(([directive]) => directive.test(effectiveDirective))?.[1];
  if (words === undefined) return;
  violated ??= words;
  listener?.(words);
});

/** What was forbidden so far; null where nothing was. `error`: some browsers report it there alone. */
export function forbidden(error = ''): string | null {
  return violated ?? (/content.security.policy|unsafe-eval/i.test(error) ? WEBASSEMBLY : null);
}

/** Calls back when something is forbidden: that may come after the error. */
export function whenForbidden(then: (words: string) => void): void {
  listener = then;
}
