/**
 * The run as the charts draw it. Rows are joined two by two when there are too many, so that a run of a
 * million steps costs no more memory and drawing time than one of a thousand.
 */
import type { Evaluation, StepRecord } from './protocol.js';
import type { TestSides } from './test-sides.js';

const MOST_ROWS = 1600;

interface Row {
  /** How many steps this row stands for; the last row may still be growing. */
  steps: number;
  step: number;
  samplesSeen: number;
  batch: number;
  loss: number;
  required: number | null;
  noise: number | null;
  allowed: number | null;
}

export interface Columns {
  step: number[];
  samplesSeen: number[];
  batch: number[];
  loss: number[];
  required: (number | null)[];
  noise: (number | null)[];
  allowed: (number | null)[];
}

export class RunHistory {
  #rows: Row[] = [];
  #evaluations: Evaluation[] = [];
  #stepsPerRow = 1;

  get stepsPerRow(): number {
    return this.#stepsPerRow;
  }

  get evaluations(): readonly Evaluation[] {
    return this.#evaluations;
  }

  get rowCount(): number {
    return this.#rows.length;
  }

  clear(): void {
    this.#rows = [];
    this.#evaluations = [];
    this.#stepsPerRow = 1;
  }

  addStep(record: StepRecord, sides: TestSides): void {
    const row: Row = {
      steps: 1,
      step: record.step,
      samplesSeen: record.samples_seen,
      batch: record.samples,
      loss: record.loss,
      required: positive(record.required),
      noise: positive(sides.noise),
      allowed: positive(sides.allowed),
    };
    const last = this.#rows.at(-1);
    if (last !== undefined && last.steps < this.#stepsPerRow) this.#rows[this.#rows.length - 1] = join(last, row);
    else this.#rows.push(row);
    if (this.#rows.length > MOST_ROWS) this.#halve();
  }

  addEvaluation(evaluation: Evaluation): void {
    this.#evaluations.push(evaluation);
    if (this.#evaluations.length > MOST_ROWS) {
      this.#evaluations = this.#evaluations.filter((_, index) => index % 2 === 0);
    }
  }

  columns(): Columns {
    return {
      step: this.#rows.map((row) => row.step),
      samplesSeen: this.#rows.map((row) => row.samplesSeen),
      batch: this.#rows.map((row) => row.batch),
      loss: this.#rows.map((row) => row.loss),
      required: this.#rows.map((row) => row.required),
      noise: this.#rows.map((row) => row.noise),
      allowed: this.#rows.map((row) => row.allowed),
    };
  }

  #halve(): void {
    const joined: Row[] = [];
    for (let index = 0; index < this.#rows.length; index += 2) {
      const first = this.#rows[index];
      const second = this.#rows[index + 1];
      if (first !== undefined) joined.push(second === undefined ? first : join(first, second));
    }
    this.#rows = joined;
    this.#stepsPerRow *= 2;
  }
}

/** A logarithmic axis has no place for zero. */
function positive(value: number | null): number | null {
  return value !== null && value > 0 ? value : null;
}

function join(first: Row, second: Row): Row {
  const steps = first.steps + second.steps;
  const mean = (one: number | null, other: number | null): number | null =>
    one === null || other === null ? (one ?? other) : (one * first.steps + other * second.steps) / steps;
  return {
    steps,
    step: second.step,
    samplesSeen: second.samplesSeen,
    batch: second.batch,
    loss: (first.loss * first.steps + second.loss * second.steps) / steps,
    required: mean(first.required, second.required),
    noise: mean(first.noise, second.noise),
    allowed: mean(first.allowed, second.allowed),
  };
}
