/**
 * The script of every worker: it trains, unless the worker was started to do another part. One for all, as most of each is the
 * same: what speaks to the WebAssembly module.
 */
import './start/older-browsers.js';
import './start/trusted-types.js';
import { lookAtFiles } from './own-files-worker.js';
import { ownPart } from './start/worker-parts.js';
import { sweepForTeam } from './team/member-worker.js';
import { train } from './training-worker.js';

const begin = { 'member-worker': sweepForTeam, 'own-files-worker': lookAtFiles, training: train };

begin[ownPart()]();
