// What users read is written in plain English: page, messages, help, READMEs and docs. The expressions below have been
// mended once, everywhere; this keeps them from coming back. Comments in the code are not looked at.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import test from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { parseSync } = await import(pathToFileURL(createRequire(join(root, 'www/package.json')).resolve('vite')).href);

/** An expression, and what an English-speaking engineer would write. */
const EXPRESSIONS = [
  [/\brightly\b/i, 'correctly'],
  [/\bwhoever\b/i, 'name the person or thing'],
  [/\bso many\b/i, 'the number’s name'],
  [/\bno sound\b|\bsound (?:file|safetensors)/i, 'not a valid …'],
  [/\b(?:is|are|was) no (?:whole|valid|number|file|byte|run|yes|finite|IDX|JSON)/i, 'is not a …'],
  [/\b(?:images?|steps?|samples?|objects?|lines?|bytes|numbers|submissions?|products?|multiplications?|dispatch(?:es)?|read-backs?) an? (?:second|step|line|image|batch|micro-batch|layer|core)\b/i, '… per …'],
  [/\b(?:what|which) becomes? of\b/i, 'epilogue, result'],
  [/\b(?:is|are|was|be) told\b(?! apart)/i, 'is reported, is shown'],
  [/\bnobody (?:asks|knows)\b/i, 'is unknown'],
  [/\bbeside\b/i, 'next to, in addition to, compared with'],
  [/\bthe very\b/i, 'the same, this'],
  [/\bin place of\b/i, 'instead of'],
  [/\banew\b/i, 'again, new'],
  [/\blook(?:s|ed|ing)? through\b/i, 'classified, evaluated'],
  [/\bpresent (?:batch|run|step|moment)\b/i, 'current …'],
  [/\bat hand\b/i, 'available, current'],
  [/\bof (?:your|one’s|one's|the visitor’s|the visitor's) own\b/i, 'your own …'],
  [/\bdrowns?\b/i, 'dominates'],
  [/\btrembl/i, 'fluctuates'],
  [/\b(?:square norms?)\b/i, 'squared norm'],
  [/\bby (?:WebGPU|Vulkan)\b/i, 'through WebGPU, on WebGPU'],
  [/\bwhere (?:there is|it is|they are) none\b/i, 'without …'],
  [/\btells? (?:\S+ )*?classes apart\b/i, 'has … classes'],
  [/\bcannot be understood\b/i, 'is not valid …'],
  [/\bthe processor computes\b/i, 'runs on the CPU'],
  [/\b(?:header|file|manifest) promises\b/i, 'declares'],
  [/\bwas (?:not )?begun\b|\bhas been begun\b/i, 'started'],
  [/\blearned from\b/i, 'was trained on'],
  [/\bgo(?:es|ing)? on with\b/i, 'continue'],
  [/\bhas not enough\b/i, 'does not have enough'],
  [/\b(?:is|are|be) handed over\b/i, 'passed, submitted'],
  [/\bcontradicts itself\b/i, 'is inconsistent'],
  [/\bdoes not do this\b/i, 'does not support this'],
  [/\bnever came\b/i, 'was not returned'],
  [/\bstand it\b/i, 'failed'],
  [/\bbrought no\b/i, 'did not provide'],
  [/\bit is not there\b/i, 'does not exist'],
  [/\bends this\b/i, 'to stop'],
  [/\botherwise (?:all|on|\d+)\)/i, '[default: …]'],
  [/, where (?:\S+ )*?(?:is|are) expected\b/i, 'but … is expected'],
  [/\b(?:makes?|made|making) the same step\b/i, 'computes the same step'],
];

/** All files below a folder with one of these endings. */
function files(folder, endings) {
  return readdirSync(join(root, folder), { recursive: true })
    .filter((name) => endings.some((ending) => name.endsWith(ending)) && !/node_modules|\/pkg\/|dist\//.test(name))
    .map((name) => join(root, folder, name));
}

/** Text outside code blocks and inline code. */
function markdown(text) {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '');
}

function html(text) {
  const attributes = [...text.matchAll(/\b(?:title|aria-label|content|alt|placeholder)="([^"]*)"/g)].map((match) => match[1]);
  return [text.replaceAll(/<script[\s\S]*?<\/script>|<!--[\s\S]*?-->/g, '').replaceAll(/<[^>]*>/g, ''), ...attributes].join('\n');
}

/** String literals and the fixed parts of templates. */
function typescript(text, path) {
  const found = [];
  const visit = (node) => {
    if (node === null || typeof node !== 'object' || /^(Import|Export(All|Specifier))/.test(node.type ?? '')) return;
    if (node.type === 'Literal' && typeof node.value === 'string') found.push(node.value);
    else if (node.type === 'TemplateElement') found.push(node.value.cooked);
    else Object.values(node).forEach(visit);
  };
  visit(parseSync(path, text).program.body);
  return found.join('\n');
}

/** String literals outside tests; of what defines a command line the doc comments too: its help. */
function rust(text, path) {
  const [program] = text.split('#[cfg(test)]');
  const isCommandLine = path.endsWith('arguments.rs') || /derive\([^)]*\b(?:Args|Parser|Subcommand)\b/.test(program);
  const help = isCommandLine ? [...program.matchAll(/^\s*\/\/\/ ?(.*)$/gm)].map((match) => match[1]) : [];
  const tokens = program.matchAll(/\/\/[^\n]*|'(?:\\.|[^\\'\n])'|r#"([\s\S]*?)"#|"((?:\\[\s\S]|[^"\\])*)"/g);
  const literals = [...tokens].map((match) => match[1] ?? match[2] ?? '');
  return [...literals.map((literal) => literal.replaceAll(/\\\n\s*/g, '')), help.join(' ')].join('\n');
}

const READ = [
  ...['README.md', 'CHANGELOG.md', 'core/README.md', 'gpu/README.md', 'gpu/TELEMETRY.md', 'web/README.md', 'www/bench/README.md', 'tests/golden/README.md'].map((path) => [join(root, path), markdown]),
  [join(root, 'tests/gpu-report'), (text) => text],
  ...files('docs', ['.md']).map((path) => [path, markdown]),
  ...files('www', ['.html']).map((path) => [path, html]),
  ...files('www/src', ['.ts']).filter((path) => !path.endsWith('.d.ts')).map((path) => [path, typescript]),
  ...['core/src', 'gpu/src', 'web/src', 'xtask/src'].flatMap((folder) => files(folder, ['.rs'])).map((path) => [path, rust]),
];

test('what users read is plain English', () => {
  const found = READ.flatMap(([path, extract]) => {
    const text = extract(readFileSync(path, 'utf8'), path).replaceAll(/[ \t]+/g, ' ');
    return EXPRESSIONS.flatMap(([expression, better]) => {
      const match = expression.exec(text);
      if (match === null) return [];
      const around = text.slice(Math.max(0, match.index - 40), match.index + match[0].length + 40).replaceAll('\n', ' ');
      return [`${relative(root, path)}: “${match[0]}” (${better}) in “…${around}…”`];
    });
  });
  assert.deepEqual(found, []);
});

test('each kind of text is looked at', () => {
  const folders = new Set(READ.map(([path]) => relative(root, dirname(path)).split('/')[0]));
  for (const folder of ['', 'core', 'gpu', 'web', 'www', 'docs', 'xtask']) assert.ok(folders.has(folder), folder);
  assert.match(typescript('const x = `a ${b} is read rightly`; // rightly here', 'x.ts'), /^a \n is read rightly$/);
  assert.equal(rust('// "rightly"\nlet x = "read rightly"; let c = \'"\';', 'x.rs').trim(), 'read rightly');
  assert.match(rust('/// Whoever reads', 'arguments.rs'), /Whoever/);
  assert.equal(html('<p title="one">two <b>three</b></p>'), 'two three\none');
  assert.equal(markdown('a `rightly` b').trim(), 'a  b');
});
