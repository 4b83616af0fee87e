// axe-core in the page that is tested.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const www = createRequire(fileURLToPath(new URL('../../../www/package.json', import.meta.url)));
const source = readFileSync(www.resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core complains of, each with the elements. `only`: the rules to apply, where not all. */
export async function violations(page, rules = {}, only = undefined) {
  // Once per document.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(source);
  const { violations: found } = await page.evaluate(
    ([chosen, runOnly]) => globalThis.axe.run(document, { resultTypes: ['violations'], rules: chosen, ...(runOnly ? { runOnly } : {}) }),
    [rules, only],
  );
  return found.map(({ id, help, nodes }) => `${id} (${help}): ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`);
}
