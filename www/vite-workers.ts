/** Gives each kind of worker a file under its own name, that runs the one script of all workers (src/start/worker-parts.ts). */
import type { Plugin } from 'vite';

const SCRIPT = /^assets\/worker-[^/]+\.js$/;
const OTHERS = ['member-worker', 'own-files-worker'];

export function workers(): Plugin {
  return {
    name: 'workers',
    apply: 'build',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const [script, ...others] = Object.keys(bundle).filter((file) => SCRIPT.test(file));
      if (script === undefined || others.length > 0) throw new Error('the workers have not one script');
      for (const name of OTHERS) {
        const fileName = script.replace('/worker-', `/${name}-`);
        this.emitFile({ type: 'asset', fileName, source: `import'./${script.replace('assets/', '')}';` });
      }
    },
  };
}
