/** Measures: for each model and batch size all engines, in turns. */
import { disagreement } from './agreement.js';
import type { EngineName } from './engine-rows.js';
import { Lane } from './lane.js';
import type { ModelName, Plan } from './plan.js';
import { positionsOf } from './problems.js';
import type { Problems } from './problems.js';
import { rowsOf, spread } from './results.js';
import type { Cell } from './results.js';

export interface BenchListener {
  /** What is about to be done, and how much of the whole is behind. */
  onProgress(text: string, done: number, total: number): void;
  onDescription(engine: EngineName, description: string): void;
  onCell(cell: Cell): void;
}

/** Our engine without the test begins like the one with it: either serves as the reference. */
const REFERENCE: EngineName = 'ours';

export async function runBench(plan: Plan, problems: Problems, listener: BenchListener): Promise<void> {
  const groups = plan.models.flatMap((model) => plan.batches.map((batch) => ({ model, batch })));
  const perGroup = plan.engines.length * (plan.rounds + 1);
  for (const [index, { model, batch }] of groups.entries()) {
    const group = new Group(plan, problems, listener, model, batch, index * perGroup, groups.length * perGroup);
    await group.run();
  }
}

/** One model with one batch size. */
class Group {
  readonly #lanes = new Map<EngineName, Lane>();
  readonly #cells = new Map<EngineName, Cell>();
  #done: number;

  constructor(
    private readonly plan: Plan,
    private readonly problems: Problems,
    private readonly listener: BenchListener,
    private readonly model: ModelName,
    private readonly batch: number,
    before: number,
    private readonly total: number,
  ) {
    this.#done = before;
  }

  async run(): Promise<void> {
    try {
      await this.#prepareAll();
      for (let round = 1; round <= this.plan.rounds; round += 1) await this.#round(round);
    } finally {
      this.#lanes.forEach((lane) => lane.close());
    }
    this.#cells.forEach((cell) => this.listener.onCell({ ...cell, samplesPerSecond: spread(cell.rounds) }));
  }

  async #prepareAll(): Promise<void> {
    const reference = await this.#referenceLosses();
    for (const { name, label } of rowsOf(this.plan)) {
      this.#tell(`${label}: first steps`);
      const cell = this.#emptyCell(name);
      this.#cells.set(name, cell);
      const lane = new Lane(name, this.plan.limitSeconds);
      this.#lanes.set(name, lane);
      await this.#attempt(cell, async () => {
        const steps = reference.length;
        const prepared = await lane.prepare(this.problems.of(this.model, this.batch, name, steps), steps);
        cell.losses = prepared.losses;
        this.listener.onDescription(name, prepared.description);
        cell.failure = disagreement(prepared.losses, reference);
        if (cell.failure !== null) this.#giveUp(name);
      });
    }
  }

  /** From a worker of its own, so that no engine has warmed up for another. */
  async #referenceLosses(): Promise<number[]> {
    const steps = this.batch <= 1024 ? 3 : 2;
    const lane = new Lane(REFERENCE, this.plan.limitSeconds);
    try {
      return (await lane.prepare(this.problems.of(this.model, this.batch, REFERENCE, steps), steps)).losses;
    } finally {
      lane.close();
    }
  }

  async #round(round: number): Promise<void> {
    for (const { name, label } of rowsOf(this.plan)) {
      const [lane, cell] = [this.#lanes.get(name), this.#cells.get(name)];
      this.#tell(`${label}: round ${round} of ${this.plan.rounds}`);
      if (lane === undefined || cell === undefined || cell.failure !== null) continue;
      await this.#attempt(cell, async () => {
        const { steps, seconds } = await lane.measure(this.plan.seconds);
        cell.steps += steps;
        cell.rounds.push((steps * this.batch * positionsOf(this.model)) / seconds);
      });
    }
  }

  /** An engine that fails says why in its row; the others go on. */
  async #attempt(cell: Cell, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      cell.failure = `It failed: ${reason}.`.replace(/\.\.$/, '.');
      cell.rounds = [];
      this.#giveUp(cell.engine);
    }
  }

  #giveUp(engine: EngineName): void {
    this.#lanes.get(engine)?.close();
    this.#lanes.delete(engine);
  }

  #emptyCell(engine: EngineName): Cell {
    const { model, batch } = this;
    return { model, batch, engine, rounds: [], samplesPerSecond: null, steps: 0, losses: [], failure: null };
  }

  #tell(text: string): void {
    this.listener.onProgress(`${this.model}, batch ${this.batch}, ${text}`, this.#done, this.total);
    this.#done += 1;
  }
}
