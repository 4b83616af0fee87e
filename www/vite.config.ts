import { existsSync } from 'node:fs';
import { defineConfig } from 'vite';
import { paletteIn } from './vite-palette.js';
import { program } from './vite-program.js';
import { startScript } from './vite-start.js';
import { entryFileName, offline, serviceWorkerEntry } from './vite-offline.js';
import { workers } from './vite-workers.js';

/**
 * Nothing but this site's own files and the start script; WebAssembly needs 'wasm-unsafe-eval', which allows no
 * JavaScript eval.
 */
function contentSecurityPolicy(startScriptSource: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'wasm-unsafe-eval' ${startScriptSource}`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** The data sets that `cargo xtask data` has packed: the page offers no others. */
const datasets = ['mnist', 'fashion_mnist', 'shakespeare'].filter((name) => existsSync(`public/data/${name}/manifest.json`));

export default defineConfig({
  base: './',
  define: { PACKED_DATASETS: JSON.stringify(datasets), PALETTE: JSON.stringify(paletteIn('src/style.css')), PROGRAM: JSON.stringify(program()) },
  // A missing file answers 404 here as on any static server, instead of the page itself.
  appType: 'mpa',
  plugins: [startScript(contentSecurityPolicy), workers(), offline()],
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
