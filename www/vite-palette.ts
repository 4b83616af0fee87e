/** Copies the colours out of the style sheet, for scripts that paint before it has arrived. */
import { readFileSync } from 'node:fs';

type Colours = Record<string, string>;

/** The custom properties of `:root` in light and dark; `file` says the dark ones in a rule of its own. */
export function paletteIn(file: string): Record<'light' | 'dark', Colours> {
  const sheet = readFileSync(file, 'utf8');
  const [head = '', rest] = sheet.split(/@media[^{]*prefers-color-scheme: dark[^{]*\{/, 2);
  if (rest === undefined) throw new Error(`${file} has no rule for the dark colour scheme`);
  const light = propertiesIn(head);
  return { light: resolved(light), dark: resolved({ ...light, ...propertiesIn(rest) }) };
}

/** Those of the first `:root` rule. */
function propertiesIn(sheet: string): Colours {
  const body = /:root\s*\{([^}]*)\}/.exec(sheet)?.[1] ?? '';
  return Object.fromEntries([...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name = '', value = '']) => [name, value]));
}

/** Only colours, and those that name another by its value. */
function resolved(colours: Colours): Colours {
  const valueOf = (value: string): string => value.replace(/^var\((--[\w-]+)\)$/, (_, name: string) => colours[name] ?? '');
  const entries = Object.entries(colours).map(([name, value]) => [name, valueOf(value)] as const);
  return Object.fromEntries(entries.filter(([, value]) => /^#[0-9a-f]{6}$/i.test(value)));
}
