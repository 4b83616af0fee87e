/** The version of the page, and the commit of the newest change to what it is built from. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const SOURCES = ['core', 'web', 'www', 'Cargo.toml', 'Cargo.lock'];

export function program(): { version: string; commit: string } {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  return { version, commit: commitOf(SOURCES) };
}

function commitOf(paths: readonly string[]): string {
  const git = (...words: string[]): string => execFileSync('git', [...words, '--', ...paths], { cwd: '..', encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const commit = git('log', '-1', '--format=%H').slice(0, 12);
    if (commit === '') return 'unknown';
    return git('status', '--porcelain') === '' ? commit : `${commit}-dirty`;
  } catch {
    // Built from an archive, or where there is no git.
    return 'unknown';
  }
}
