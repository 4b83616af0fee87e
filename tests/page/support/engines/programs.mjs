// Programs that a test starts, and that end with it, whatever becomes of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATIENCE_MILLISECONDS } from '../page.mjs';

/** What is said of a program that ended is what it wrote last. */
const KEPT_CHARACTERS = 4000;

/** Ends the processes of a group when there is nobody any more who could write to it: also where the test itself was killed. */
const WATCH = 'read -r line; kill -s KILL -- "-$0"';

export function startProgram(command, options, environment = {}) {
  const child = spawn(command, options, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  const ended = once(child, 'close').catch(() => undefined);
  // A browser is several processes: all of them are of the group of the first.
  const watch = child.pid === undefined ? null : spawn('/bin/sh', ['-c', WATCH, String(child.pid)], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  let written = '';
  const listeners = new Set();
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text) => {
      written = (written + text).slice(-KEPT_CHARACTERS);
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) listeners.forEach((listener) => listener(line));
    });
  }
  const gone = new Promise((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`${command} ended (${signal ?? code}): ${written}`)));
  });
  gone.catch(() => undefined);
  return {
    /** Rejects when the program ends before `promise` does. */
    orGone: (promise) => Promise.race([promise, gone]),
    /** Waits for a line that fits, and gives back what the pattern found in it. */
    line(pattern) {
      const found = new Promise((resolve) => {
        const listener = (line) => {
          const match = pattern.exec(line);
          if (match === null) return;
          listeners.delete(listener);
          resolve(match);
        };
        listeners.add(listener);
      });
      return withPatience(Promise.race([found, gone]), `${command} to write ${pattern}`);
    },
    async end() {
      watch?.stdin.end();
      await ended;
    },
  };
}

/** A folder for a browser's files, and how to take it away. */
export async function temporaryFolder(name) {
  const path = await mkdtemp(join(tmpdir(), `adadagrad-${name}-`));
  // What was killed may have a last file on its way.
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 10 }) };
}

/** Only something that hangs should ever be waited for this long. */
export function withPatience(promise, wanted) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited for ${wanted} for ${PATIENCE_MILLISECONDS / 1000} s`)), PATIENCE_MILLISECONDS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
