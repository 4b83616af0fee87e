// Prints the lines of a run in WebAssembly: node run.mjs firmware_wasm.wasm mlp
import { readFile } from 'node:fs/promises';

const [file, name] = process.argv.slice(2);
const { instance } = await WebAssembly.instantiate(await readFile(file));
const { run, text, text_len, memory } = instance.exports;
const failed = run(['mlp', 'softmax', 'cnn', 'mlp_pairs'].indexOf(name));
process.stdout.write(new TextDecoder().decode(new Uint8Array(memory.buffer, text(), text_len())));
process.exitCode = failed;
