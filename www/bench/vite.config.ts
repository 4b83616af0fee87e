import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

function installed(name: string): string {
  const text = readFileSync(here(`../node_modules/${name}/package.json`), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

// The bench has a build of its own, so that nothing of it can be in the page.
export default defineConfig({
  root: here('.'),
  base: './',
  appType: 'mpa',
  publicDir: here('../public'),
  // Threads need shared memory, and shared memory needs these.
  server: { headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' } },
  worker: { format: 'es' },
  define: {
    __VERSIONS__: JSON.stringify({ jax: installed('@jax-js/jax'), tfjs: installed('@tensorflow/tfjs-core') }),
  },
  build: {
    outDir: here('../../target/bench-browser/page'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // TensorFlow.js is large, and sends the text of its own functions to its threads.
    minify: false,
    chunkSizeWarningLimit: 10_000,
  },
});
