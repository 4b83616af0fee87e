/**
 * Where a site's policy asks for Trusted Types, scripts are started only from addresses that a policy has passed: here,
 * those of the page's own origin, for the page and its workers. Import it first.
 */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: (address: string) => string | null }): unknown;
}

const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };

try {
  trustedTypes?.createPolicy('default', {
    createScriptURL: (address) => (new URL(address, location.href).origin === location.origin ? address : null),
  });
} catch {
  // The site allows no policy, or has one of its own: what that one refuses is reported where it is started.
}

export {};
