/** The workers of a team that the page starts for the training worker, which speaks to them through ports. */

import { startModuleWorker } from '../start/module-worker.js';
import { addressFor } from '../start/worker-parts.js';
import { text } from '../words-of-errors.js';
import type { MemberReport, PortForMember } from './messages.js';
import workerAddress from '../worker.ts?worker&url';

export class PageMembers {
  readonly #workers = new Map<number, Worker>();

  /** `fail` is called with why a worker cannot go on, if one cannot; the words may be missing. */
  obey(report: MemberReport, fail: (member: number, message: string) => void): void {
    if (report.type === 'member-wanted') this.#start(report, (message) => fail(report.member, message));
    else this.#end(report.member);
  }

  /** Ends all of them: with the training worker, nobody speaks to them any more. */
  endAll(): void {
    for (const member of [...this.#workers.keys()]) this.#end(member);
  }

  #start({ member, port }: Extract<MemberReport, { type: 'member-wanted' }>, fail: (message: string) => void): void {
    let worker: Worker;
    try {
      worker = startModuleWorker(addressFor('member-worker', workerAddress));
    } catch (error) {
      fail(text(error));
      return;
    }
    worker.onerror = (event) => {
      event.preventDefault();
      fail(event.message);
    };
    worker.postMessage({ type: 'port', port } satisfies PortForMember, [port]);
    this.#workers.set(member, worker);
  }

  #end(member: number): void {
    const worker = this.#workers.get(member);
    if (worker === undefined) return;
    worker.onerror = null;
    worker.terminate();
    this.#workers.delete(member);
  }
}
