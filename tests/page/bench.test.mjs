// The browser bench cannot rot: every engine trains and agrees with ours; and nothing of it reaches a visitor.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { browserTest, pageFolder } from './support/page.mjs';
import { servePage } from './support/server.mjs';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const benchFolder = resolve(process.env.BENCH_DIST ?? join(repository, 'target/bench-browser/page'));
const driver = join(repository, 'www/bench/drive.mjs');

const ISOLATION = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
const WASM = ['ours', 'ours-plain', 'ours-workers', 'jax-wasm', 'jax-wasm-threads', 'jax-wasm-stock', 'tfjs-wasm', 'tfjs-wasm-threads'];
const WEBGPU = ['ours-webgpu', 'ours-webgpu-plain', 'jax-webgpu', 'jax-webgpu-stock', 'tfjs-webgpu', 'tfjs-webgpu-stock'];

/** What the bench measures, as `cargo xtask bench-browser` has it measured. */
async function runBench(t, query, serverOptions = {}) {
  const server = await servePage(benchFolder, { headers: ISOLATION, ...serverOptions });
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  t.after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });
  const file = join(folder, 'results.json');
  const words = ['--address', server.address, '--query', query, '--json', file, '--commit', 'test'];
  const { stdout } = await promisify(execFile)(process.execPath, [driver, ...words], { cwd: repository });
  return { results: JSON.parse(await readFile(file, 'utf8')), printed: stdout };
}

function check(results, engines, models) {
  for (const engine of engines) {
    for (const model of models) {
      const cell = results.cells.find((other) => other.engine === engine && other.model === model);
      assert.ok(cell, `${engine} has no figures for ${model}`);
      assert.equal(cell.failure, null, `${engine}, ${model}`);
      assert.equal(cell.losses.length, 3);
      const { minimum, median, maximum } = cell.samplesPerSecond;
      assert.ok(minimum > 0 && minimum <= median && median <= maximum, `${engine}, ${model}: ${minimum}, ${median}, ${maximum}`);
      assert.ok(cell.steps >= cell.rounds.length && cell.rounds.length >= 1, `${engine}, ${model}: no step was timed`);
    }
  }
}

test('every engine trains every model on WebAssembly, and all lose alike', browserTest(), async (t) => {
  const models = ['logistic', 'mlp', 'cnn'];
  const { results, printed } = await runBench(t, `models=${models}&batches=16&rounds=1&seconds=0.1&engines=${WASM}`);
  assert.equal(results.crossOriginIsolated, true);
  check(results, WASM, models);
  // Ours with and without the test and with several workers, each beside the fastest of the others.
  assert.equal(results.ratios.length, 3 * models.length);
  for (const { model, engine, ratio } of results.ratios) {
    const speed = (name) => results.cells.find((cell) => cell.model === model && cell.engine === name).samplesPerSecond.median;
    const fastest = Math.max(...WASM.filter((name) => !name.startsWith('ours')).map(speed));
    assert.equal(ratio, speed(engine) / fastest);
  }
  assert.match(printed, /cnn, samples\/s/);
  assert.equal(results.commit, 'test');
  t.diagnostic(printed);
});

test('our engines train the transformer, and tokens are counted', browserTest(), async (t) => {
  const engines = ['ours', 'ours-plain', 'ours-workers', 'ours-workers-plain', 'jax-wasm'];
  const { results, printed } = await runBench(t, `models=transformer&batches=2&rounds=1&seconds=0.1&engines=${engines}`);
  check(results, engines.slice(0, -1), ['transformer']);
  const rival = results.cells.find(({ engine }) => engine === 'jax-wasm');
  assert.match(rival.failure, /only our engines train the transformer here/);
  assert.deepEqual(results.ratios, []);
  assert.match(printed, /transformer, tokens\/s/);
});

test('every engine trains on WebGPU', browserTest(), async (t) => {
  // It has the layers of the others too; their models are compared on WebAssembly.
  const models = ['cnn'];
  const { results } = await runBench(t, `models=${models}&batches=4&rounds=1&seconds=0.1&engines=${WEBGPU}`);
  if (results.adapter === null && process.env.REQUIRE_GPU !== '1') return t.skip('this Chromium has no WebGPU adapter');
  check(results, WEBGPU, models);
});

test('an engine that computes something else gets no figures, and says why', browserTest(), async (t) => {
  let changed = 0;
  const replace = (path, bytes) => {
    if (!path.endsWith('.js')) return undefined;
    const text = bytes.toString('utf8');
    const other = text.replace('learningRate: config.learning_rate', 'learningRate: 1.01 * config.learning_rate');
    if (other === text) return undefined;
    changed += 1;
    return Buffer.from(other);
  };
  const query = 'models=logistic&batches=16&rounds=1&seconds=0.1&engines=ours,jax-wasm,tfjs-wasm';
  const { results } = await runBench(t, query, { replace });
  assert.ok(changed > 0, 'the learning rate was not found in the built bench');
  check(results, ['ours'], ['logistic']);
  for (const engine of ['jax-wasm', 'tfjs-wasm']) {
    const { failure, samplesPerSecond } = results.cells.find((cell) => cell.engine === engine);
    assert.match(failure, /computes something else: its loss at step 2/);
    assert.equal(samplesPerSecond, null);
  }
  assert.deepEqual(results.ratios, []);
});

test('an engine that cannot do it says why, and the others go on', browserTest(), async (t) => {
  const engines = ['tfjs-wasm-stock', 'ours'];
  const { results } = await runBench(t, `models=cnn&batches=16&rounds=1&seconds=0.1&engines=${engines}`);
  check(results, ['ours'], ['cnn']);
  const { failure, rounds } = results.cells.find((cell) => cell.engine === 'tfjs-wasm-stock');
  assert.match(failure, /^It failed: Kernel .* not registered for backend 'wasm'/);
  assert.deepEqual(rounds, []);
});

test('the page that visitors get holds nothing of the rivals', async () => {
  assert.deepEqual(await filesNaming(/tensorflow|tfjs|jax-js/i, pageFolder), []);
  // The search can find something.
  assert.ok((await filesNaming(/tensorflow|tfjs|jax-js/i, benchFolder)).length >= 4);
  const { dependencies } = JSON.parse(await readFile(join(repository, 'www/package.json'), 'utf8'));
  assert.deepEqual(Object.keys(dependencies), ['uplot', 'valibot']);
});

/** The files of a built page whose name or text matches; packed data is left out. */
async function filesNaming(pattern, folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.gz'));
  assert.ok(files.length > 0, `${folder} is empty`);
  const matching = await Promise.all(
    files.map(async ({ name, parentPath, path }) => {
      const text = await readFile(join(parentPath ?? path, name), 'latin1');
      return pattern.test(name) || pattern.test(text);
    }),
  );
  return files.filter((_, index) => matching[index]).map(({ name }) => name);
}
