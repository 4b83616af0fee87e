/**
 * Several workers that sweep the parts of one run's batches. Who sweeps which part is a matter of who is free; the
 * parts come back in their order, so that the run has the same bits as one without a team.
 */
import type { DatasetFiles, PartResult, RunConfig, SharedVectors, SharedWork, TextSettings } from '../../pkg/adadagrad_web.js';
import { Member, MemberError } from './member.js';
import { Rooms } from './rooms.js';

/** The next part waits at the worker while it is at one. */
const PARTS_AT_A_WORKER = 2;

export class Team {
  readonly #members: Member[];
  readonly #rooms = new Rooms();
  /** The step whose parameters the workers were given last, by its place in the order of samples. */
  #step: number | null = null;

  private constructor(members: Member[]) {
    this.#members = members;
  }

  /**
   * Starts the workers and gives them the data, one after the other, so that the first one can soon compute; rejects when one
   * of them cannot be had.
   */
  static async gather(size: number, files: DatasetFiles, text: TextSettings): Promise<Team> {
    const team = new Team([]);
    try {
      for (let place = 0; place < size; place += 1) {
        const member = new Member();
        team.#members.push(member);
        await member.ask({ type: 'open', files, text });
      }
    } catch (error) {
      team.dismiss();
      throw error;
    }
    return team;
  }

  get size(): number {
    return this.#members.length;
  }

  async begin(config: RunConfig): Promise<void> {
    this.#step = null;
    await Promise.all(this.#members.map((member) => member.ask({ type: 'begin', config })));
  }

  /**
   * Does the work's parts and hands each result to `take`, in order. Once `goesOn` says no, no further part is begun,
   * and those that were are taken still. Rejects when a worker fails or `take` throws.
   */
  async sweep(work: SharedWork, vectors: SharedVectors, goesOn: () => boolean, take: (result: PartResult) => void): Promise<void> {
    this.#prepare(work);
    const results = new Map<number, PartResult>();
    let next = work.first_part;
    let taken = work.first_part;
    let failed = false;
    const lane = async (member: Member): Promise<void> => {
      while (next < work.end_part && !failed && goesOn()) {
        const part = next++;
        const result = await this.#ask(member, work, vectors, part);
        results.set(part, result);
        for (let ready = results.get(taken); ready !== undefined && !failed; ready = results.get(taken)) {
          results.delete(taken++);
          take(ready);
          this.#rooms.give(ready.values);
        }
      }
    };
    // Every worker has its first part before one gets a second.
    const lanes = Array.from({ length: PARTS_AT_A_WORKER }, () => this.#members.map((member) => lane(member))).flat();
    const guarded = lanes.map((one) => one.catch((error: unknown) => {
      failed = true;
      throw error;
    }));
    // All have ended before anything else is asked of the workers.
    const outcomes = await Promise.allSettled(guarded);
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    if (refused !== undefined) throw refused.reason;
  }

  dismiss(): void {
    for (const member of this.#members) member.dismiss();
  }

  /** A second sweep finds the parameters of the first, unless the team joins with it. */
  #prepare({ task, start }: SharedWork): void {
    const isKnown = task === 'project' && this.#step === start;
    this.#step = task === 'evaluate' ? null : start;
    for (const member of this.#members) {
      member.knowsParameters &&= isKnown;
      member.knowsMeanGradient = false;
    }
  }

  async #ask(member: Member, { task, start, batch, end_part: parts }: SharedWork, vectors: SharedVectors, part: number): Promise<PartResult> {
    const rooms = this.#rooms;
    const parameters = member.knowsParameters ? null : rooms.copy(vectors.parameters);
    const meanGradient = member.knowsMeanGradient || vectors.mean_gradient === null ? null : rooms.copy(vectors.mean_gradient);
    const room = task === 'accumulate' && parameters === null ? rooms.take() : null;
    member.knowsParameters = true;
    member.knowsMeanGradient = true;
    const handedOver = [parameters, meanGradient, room].flatMap((vector) => (vector === null ? [] : [vector.buffer]));
    const result = await member.ask({ type: 'sweep', task, start, batch, parts, part, parameters, meanGradient, room }, handedOver);
    if (result === null) throw new MemberError('it returned no result');
    return result;
  }
}
