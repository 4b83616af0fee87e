/** The training worker's hold on one worker of its team. */
import type { PartResult } from '../../pkg/adadagrad_web.js';
import { linkMember } from './member-link.js';
import type { MemberLink } from './member-link.js';
import type { Answer, Request } from './messages.js';

/** A worker of the team cannot go on. */
export class MemberError extends Error {}

interface Waiting {
  resolve: (result: PartResult | null) => void;
  reject: (error: MemberError) => void;
}

export class Member {
  readonly #link: MemberLink;
  /** Who waits for an answer, in the order of the questions. */
  #waiting: Waiting[] = [];
  #failure: MemberError | null = null;
  /** Whether it knows the parameters of the sweep at hand. */
  knowsParameters = false;
  knowsMeanGradient = false;

  constructor() {
    this.#link = linkMember({ hear: (answer) => this.#hear(answer), fail: (message) => this.#fail(message) });
  }

  /** `handedOver`: what the request takes with it. */
  ask(request: Request, handedOver: Transferable[] = []): Promise<PartResult | null> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure);
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#link.post(request, handedOver);
    });
  }

  dismiss(): void {
    this.#link.end();
    this.#fail('it was stopped');
  }

  #hear(answer: Answer): void {
    const waiting = this.#waiting.shift();
    if (answer.type === 'done') waiting?.resolve(answer.result);
    else waiting?.reject(new MemberError(answer.message));
  }

  #fail(message: string): void {
    this.#failure = new MemberError(message);
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
