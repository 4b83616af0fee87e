/** Lets a team compute what is worth sharing, as soon as there is one; without it the training worker goes on alone. */
import type { DatasetFiles, PartResult, Progress, RunConfig, Session, SharedWork } from '../../pkg/adadagrad_web.js';
import { text } from '../words-of-errors.js';
import { teamSize } from './size.js';
import { Team } from './team.js';
import { Worth } from './worth.js';

/** The team is there for the run at hand, or there no longer is one; `notice`: why, in a sentence. */
export type TeamNews = (notice: string | null) => void;

export class Sharing {
  readonly #session: Session;
  readonly #tell: TeamNews;
  /** Until the team has them. */
  #files: DatasetFiles | null;
  #team: Promise<Team> | null = null;
  /** The team, once it is ready for the run at hand. */
  #ready: Team | null = null;
  #run = 0;
  #worth = new Worth();
  /** Where the last sweep's parameters lie. */
  #room: Float32Array | null = null;

  constructor(session: Session, files: DatasetFiles, tell: TeamNews) {
    this.#session = session;
    this.#files = files;
    this.#tell = tell;
  }

  /** Workers that compute; 0: the training worker alone. */
  get size(): number {
    return this.#ready?.size ?? 0;
  }

  /** A run has begun; the team is there for it a little later. */
  async begin(config: RunConfig): Promise<void> {
    const run = ++this.#run;
    this.#ready = null;
    this.#worth = new Worth();
    try {
      const team = await this.#gather(config);
      if (team === null || run !== this.#run) return;
      await team.begin(config);
      if (run !== this.#run) return;
      this.#ready = team;
      this.#tell(null);
    } catch (error) {
      await this.#giveUp(error);
    }
  }

  /** What the team should do now; null: the session is to advance by itself. */
  offer(steps: number, toGrowth: boolean): SharedWork | null {
    if (this.#ready === null) return null;
    const work = this.#session.share(steps, toGrowth);
    if (work === null) return null;
    const parts = work.end_part - work.first_part;
    // What a team began it ends; a measurement is always large.
    const isWorth = work.first_part > 0 || work.task === 'evaluate' || this.#worth.of(work.batch, parts);
    return isWorth && parts > 1 ? work : null;
  }

  /** Does it, or as much of it as can be done. Throws what `take` throws. */
  async sweep(work: SharedWork, goesOn: () => boolean, take: (result: PartResult) => void): Promise<void> {
    let refusal: unknown = null;
    const begun = performance.now();
    const vectors = this.#session.shared_vectors(this.#room);
    if (vectors === null) return;
    this.#room = vectors.parameters;
    try {
      await this.#ready?.sweep(work, vectors, goesOn, (result) => {
        try {
          take(result);
        } catch (error) {
          refusal = error;
          throw error;
        }
      });
      if (work.task !== 'evaluate') this.#worth.countShared(performance.now() - begun);
    } catch (error) {
      if (refusal !== null) throw refusal;
      await this.#giveUp(error);
    }
  }

  /** Steps that the session made by itself. */
  countAlone(steps: Progress['steps']): void {
    this.#worth.countAlone(steps);
  }

  /** Ends the team's workers. */
  dismiss(): void {
    void this.#team?.then((team) => team.dismiss());
    this.#team = null;
    this.#ready = null;
  }

  #gather({ text }: RunConfig): Promise<Team> | null {
    const size = teamSize(navigator.hardwareConcurrency);
    if (this.#team === null && this.#files !== null && size > 0) {
      this.#team = Team.gather(size, this.#files, text);
      this.#files = null;
    }
    return this.#team;
  }

  /** The run goes on with the same numbers, only more slowly. */
  async #giveUp(error: unknown): Promise<void> {
    const team = this.#team;
    this.#team = null;
    this.#ready = null;
    if (team === null) return;
    this.#tell(`The workers that shared the batches failed (${text(error)}), so one worker continues alone.`);
    await team.then((gathered) => gathered.dismiss(), () => undefined);
  }
}
