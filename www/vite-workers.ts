/** Gives each kind of worker a file under its own name, that runs the one script of all workers (src/start/worker-parts.ts). */
import type { Plugin } from 'vite';
import { PARTS } from './src/start/worker-parts.js';

const SCRIPT = /^assets\/worker-[^/]+\.js$/;

export function workers(): Plugin {
  return {
    name: 'workers',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const [script, ...others] = Object.keys(bundle).filter((file) => SCRIPT.test(file));
      if (script === undefined || others.length > 0) throw new Error('expected exactly one worker script');
      for (const name of PARTS) {
        const fileName = script.replace('/worker-', `/${name}-`);
        this.emitFile({ type: 'asset', fileName, source: `import'./${script.replace('assets/', '')}';` });
      }
    },
  };
}
