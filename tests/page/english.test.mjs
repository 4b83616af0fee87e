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

/** Other names for things that have one, on the page: settings are named as by `adadagrad train --help`. */
const TERMS = [
  [/\bLogistic\b/, 'softmax regression'],
  [/\b(?:first|least) batch\b/i, 'initial batch, smallest batch'],
  [/\bimages? (?:seen|per second|per step)\b|\bimages\/s\b/i, 'samples …: images only where pictures are meant'],
  [/\bown (?:files|data|settings)\b/i, 'your files, custom'],
  [/\bgo(?:es)? on\b/i, 'continue'],
  [/\bforget it\b/i, 'discard'],
  [/\bload (?:it|them) again\b/i, 'try again'],
  [/α/, 'learning rate; RMSProp’s is alpha'],
  [/\btolerated noise\b/i, 'threshold'],
  [/\bis none of\b/i, 'is not valid: … must be …'],
  [/\bwipe/i, 'clear'],
  [/\bwrongly\b/i, 'incorrectly'],
];

/** Other names for things that have one, and expressions to avoid, in the program, the library and the documents. */
const PROGRAM = [
  [/\bimages\/s\b|\bimages[_ ]per[_ ]second/i, 'samples/s: data may be anything'],
  [/\blogistic regression\b/i, 'softmax regression'],
  [/\bfirst batch size\b|\bfirst batch has\b/i, 'initial batch'],
  [/\b(?:must be|is not) a text\b/i, 'a string'],
  [/\bthe user[’']s own\b/i, 'custom'],
  [/\b(?:some|any|no)body\b/i, 'name who, or use the passive'],
  [/\bgo(?:es)? on\b|\bgoing on\b/i, 'continue'],
  [/\bmade again\b/i, 'repeated'],
  [/\bfor want of\b/i, 'because there is no …'],
  [/\b(?:wants?|wanted) no\b/i, '… is None'],
  [/\bis none of\b/i, 'the … has no …'],
  [/\bcame (?:twice|before)\b/i, 'was given twice'],
  [/\bkeeps? (?:\S+ )?of (?:itself|themselves)\b/i, 'decay factor'],
  [/\btakes? the place of\b/i, 'replaces'],
  [/\b(?:values?|products?|steps?) a turn\b/i, 'per iteration'],
  [/\bwhere (?:it|they) (?:is|are) left out\b/i, 'by default'],
  [/\bwhat (?:settings|files|people|messages|tables)(?: and \S+)? calls?\b/i, 'its name in …'],
  [/\b(?:is|are) known against\b/i, 'drawbacks'],
  [/\bturned upright\b/i, 'rotated according to the EXIF data'],
  [/\bleads? nowhere\b/i, 'broken link'],
  [/\bcalled like\b/i, 'with the name of'],
  [/\bnothing is known\b/i, 'is unknown'],
  [/\bto learn from\b/i, 'training …'],
  [/\bbreaks? (?:its|their) promise/i, 'violates its contract'],
  [/\bis meant to be\b/i, 'is intended'],
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
  const words = text.replaceAll(/<script[\s\S]*?<\/script>|<!--[\s\S]*?-->/g, '').replaceAll(/<[^>]*>/g, '');
  // Lines of a paragraph end anywhere.
  return [words.replaceAll(/\s+/g, ' '), ...attributes].join('\n');
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
  const [program] = text.split(/#\[cfg\((?:all\()?test\b/);
  const isCommandLine = path.endsWith('arguments.rs') || /derive\([^)]*\b(?:Args|Parser|Subcommand)\b/.test(program);
  const help = isCommandLine ? [...program.matchAll(/^\s*\/\/\/ ?(.*)$/gm)].map((match) => match[1]) : [];
  const tokens = program.matchAll(/\/\/[^\n]*|'(?:\\.|[^\\'\n])'|r#"([\s\S]*?)"#|"((?:\\[\s\S]|[^"\\])*)"/g);
  const literals = [...tokens].map((match) => match[1] ?? match[2] ?? '');
  return [...literals.map((literal) => literal.replaceAll(/\\\n\s*/g, '')), help.join(' ')].join('\n');
}

/** The documentation of public items, as docs.rs shows it: without code. */
function documentation(text) {
  const [program] = text.split(/#\[cfg\((?:all\()?test\b/);
  const blocks = program.matchAll(/((?:^[ \t]*\/\/[/!][^\n]*\n)+)((?:[ \t]*#\[[^\n]*\n)*)[ \t]*(pub )?/gm);
  const shown = [...blocks].filter((match) => match[3] !== undefined || match[1].trimStart().startsWith('//!'));
  return markdown(shown.map((match) => match[1].replaceAll(/^[ \t]*\/\/[/!] ?/gm, '')).join('\n')).replaceAll(/[ \t]*\n[ \t]*/g, ' ');
}

const READ = [
  ...['README.md', 'CHANGELOG.md', 'core/README.md', 'gpu/README.md', 'gpu/TELEMETRY.md', 'web/README.md', 'www/bench/README.md', 'tests/golden/README.md', 'tests/peers/README.md'].map((path) => [join(root, path), markdown]),
  [join(root, 'tests/gpu-report'), (text) => text],
  ...files('docs', ['.md']).map((path) => [path, markdown]),
  ...files('www', ['.html']).map((path) => [path, html]),
  ...files('www/src', ['.ts']).filter((path) => !path.endsWith('.d.ts')).map((path) => [path, typescript]),
  ...['core/src', 'gpu/src', 'web/src', 'xtask/src'].flatMap((folder) => files(folder, ['.rs'])).map((path) => [path, rust]),
];

/** Where these texts hold one of the expressions, and what should stand there. */
function found(read, expressions) {
  return read.flatMap(([path, extract]) => {
    const text = extract(readFileSync(path, 'utf8'), path).replaceAll(/[ \t]+/g, ' ');
    return expressions.flatMap(([expression, better]) => {
      const match = expression.exec(text);
      if (match === null) return [];
      const around = text.slice(Math.max(0, match.index - 40), match.index + match[0].length + 40).replaceAll('\n', ' ');
      return [`${relative(root, path)}: “${match[0]}” (${better}) in “…${around}…”`];
    });
  });
}

test('what users read is plain English', () => {
  assert.deepEqual(found(READ, EXPRESSIONS), []);
});

test('the page has one name for each thing', () => {
  const page = READ.filter(([path]) => /^www\/(index\.html$|src\/)/.test(relative(root, path)));
  assert.ok(page.length > 100, `${page.length} files of the page are read`);
  assert.deepEqual(found(page, TERMS), []);
});

test('the program and the documents have one name for each thing', () => {
  const program = READ.filter(([path]) => !/^(?:www|web)\//.test(relative(root, path)));
  const library = ['core/src', 'gpu/src'].flatMap((folder) => files(folder, ['.rs'])).filter((path) => !path.includes('/bin/'));
  assert.ok(library.length > 200, `${library.length} files of the library are read`);
  assert.deepEqual(found([...program, ...library.map((path) => [path, documentation])], [...PROGRAM, ...EXPRESSIONS]), []);
});

test('each kind of text is looked at', () => {
  const folders = new Set(READ.map(([path]) => relative(root, dirname(path)).split('/')[0]));
  for (const folder of ['', 'core', 'gpu', 'web', 'www', 'docs', 'xtask']) assert.ok(folders.has(folder), folder);
  assert.match(typescript('const x = `a ${b} is read rightly`; // rightly here', 'x.ts'), /^a \n is read rightly$/);
  assert.equal(rust('// "rightly"\nlet x = "read rightly"; let c = \'"\';', 'x.rs').trim(), 'read rightly');
  assert.match(rust('/// Whoever reads', 'arguments.rs'), /Whoever/);
  assert.equal(documentation('/// One `x`\n/// two.\n#[must_use]\npub fn f() {}\n/// Three.\nfn g() {}').trim(), 'One two.');
  assert.equal(html('<p title="one">two <b>three</b></p>'), 'two three\none');
  assert.equal(markdown('a `rightly` b').trim(), 'a  b');
});
