// Loads one of the page's TypeScript modules that needs no browser, as Vite would compile it.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const www = fileURLToPath(new URL('../../../www/', import.meta.url));

/** `path` within www/src. */
export async function loadModule(path) {
  const vite = createRequire(join(www, 'package.json')).resolve('vite/package.json');
  // Vite brings its bundler along.
  const rolldownAddress = createRequire(vite).resolve('rolldown');
  const { rolldown } = await import(pathToFileURL(rolldownAddress).href);
  const bundle = await rolldown({ input: join(www, 'src', path), cwd: dirname(www), logLevel: 'warn' });
  const { output } = await bundle.generate({ format: 'es' });
  await bundle.close();
  return import(`data:text/javascript;base64,${Buffer.from(output[0].code).toString('base64')}`);
}
