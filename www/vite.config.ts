import { existsSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';
import { paletteIn } from './vite-palette.js';
import { entryFileName, offline, serviceWorkerEntry } from './vite-offline.js';

// Nothing but this site's own files; WebAssembly needs 'wasm-unsafe-eval', which allows no JavaScript eval.
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** Only built pages carry the policy: Vite's development server works with inline styles. */
function policyInBuiltPage(): Plugin {
  return {
    name: 'content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: contentSecurityPolicy },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** The data sets that `cargo xtask data` has packed: the page offers no others. */
const datasets = ['mnist', 'fashion_mnist'].filter((name) => existsSync(`public/data/${name}/manifest.json`));

export default defineConfig({
  base: './',
  define: { PACKED_DATASETS: JSON.stringify(datasets), PALETTE: JSON.stringify(paletteIn('src/style.css')) },
  // A missing file answers 404 here as on any static server, instead of the page itself.
  appType: 'mpa',
  plugins: [policyInBuiltPage(), offline()],
  worker: { format: 'es' },
  build: {
    target: 'es2022',
    // data: addresses would need a wider policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: 'index.html', ...serviceWorkerEntry },
      output: { entryFileNames: entryFileName },
    },
  },
});
