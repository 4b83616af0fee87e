/** Puts the start script into the built page's head, under a policy that names just this script. */
import { createHash } from 'node:crypto';
import { build, type Plugin } from 'vite';

const ENTRY = 'src/start/start-script.ts';
const PLACE = '<!-- The start script is put here. -->';

/** `policy` gives the page's Content-Security-Policy, from what such a policy calls the start script. */
export function startScript(policy: (source: string) => string): Plugin {
  return {
    name: 'start-script',
    // Only built pages carry script and policy: Vite's development server works with inline styles.
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: async (html) => {
        if (!html.includes(PLACE)) throw new Error(`index.html has no place for the start script: ${PLACE}`);
        const code = await buildScript();
        const source = `'sha256-${createHash('sha256').update(code).digest('base64')}'`;
        return {
          html: html.replace(PLACE, () => `<script>${code}</script>`),
          tags: [{ tag: 'meta', attrs: { 'http-equiv': 'Content-Security-Policy', content: policy(source) }, injectTo: 'head-prepend' }],
        };
      },
    },
  };
}

/** One classic script without imports, in the language of older browsers. */
async function buildScript(): Promise<string> {
  const built = await build({
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: { write: false, target: 'es2015', minify: true, lib: { entry: ENTRY, formats: ['iife'], name: 'start' } },
  });
  const [result] = Array.isArray(built) ? built : [built];
  if (result === undefined || !('output' in result)) throw new Error('the start script was not built');
  return result.output[0].code.trim();
}
