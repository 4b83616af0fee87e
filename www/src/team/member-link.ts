/**
 * How the training worker speaks to a worker of its team: a worker of its own, or one that the page has started for it.
 *
 * Firefox can block for ever in the constructor of a worker's worker, and with it the training: there, the page starts them.
 * Elsewhere that would only cost: what goes through a port may be copied, and what goes to a worker of one's own is handed over.
 */
import { addressFor } from '../start/worker-parts.js';
import type { Answer, MemberReport, Request } from './messages.js';

export interface MemberLink {
  post(request: Request, handedOver: Transferable[]): void;
  end(): void;
}

export interface MemberListener {
  hear: (answer: Answer) => void;
  /** Nothing more will be heard; `message`: why. */
  fail: (message: string) => void;
}

/** Nothing is said where its file is what failed. */
const NO_FILE = 'a part of the page did not arrive';
const UNREADABLE = 'a message could not be read';

export function linkMember(ears: MemberListener): MemberLink {
  // Other browsers say “like Gecko”.
  return /Gecko\/\d/.test(navigator.userAgent) ? startedByPage(ears) : startedHere(ears);
}

function startedHere({ hear, fail }: MemberListener): MemberLink {
  const worker = new Worker(addressFor('member-worker', location.href), { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<Answer>) => hear(data);
  worker.onerror = (event) => {
    event.preventDefault();
    fail(event.message || NO_FILE);
  };
  worker.onmessageerror = () => fail(UNREADABLE);
  return {
    post: (request, handedOver) => worker.postMessage(request, handedOver),
    end: () => worker.terminate(),
  };
}

/** Whom to tell that a worker which the page has started cannot go on, by the worker's number. */
const failing = new Map<number, MemberListener['fail']>();
let last = 0;

function startedByPage({ hear, fail }: MemberListener): MemberLink {
  const { port1: own, port2: port } = new MessageChannel();
  const member = ++last;
  failing.set(member, fail);
  own.onmessage = ({ data }: MessageEvent<Answer>) => hear(data);
  own.onmessageerror = () => fail(UNREADABLE);
  const report = (message: MemberReport, handedOver: Transferable[] = []): void => self.postMessage(message, handedOver);
  report({ type: 'member-wanted', member, port }, [port]);
  return {
    post: (request, handedOver) => own.postMessage(request, handedOver),
    end: () => {
      failing.delete(member);
      own.close();
      report({ type: 'member-dismissed', member });
    },
  };
}

/** The page tells that one cannot go on. */
export function memberFailed(member: number, message: string): void {
  failing.get(member)?.(message || NO_FILE);
}
