/** The messages between the training worker and the workers of its team. Each is answered, in order. */
import type { DatasetFiles, PartResult, RunConfig, TeamTask, TextSettings } from '../../pkg/adadagrad_web.js';

export type Request =
  /** The first one. */
  | { type: 'open'; files: DatasetFiles; text: TextSettings }
  /** Before the first sweep of a run. */
  | { type: 'begin'; config: RunConfig }
  | SweepRequest;

export interface SweepRequest {
  type: 'sweep';
  task: TeamTask;
  start: number;
  batch: number;
  parts: number;
  part: number;
  /** What is not null is used from now on. */
  parameters: Float32Array | null;
  meanGradient: Float32Array | null;
  /** Where sums may be written; without it, where the parameters lie. */
  room: Float32Array | null;
}

export type Answer =
  | { type: 'done'; result: PartResult | null }
  /** `message`: what went wrong. */
  | { type: 'failed'; message: string };

/** What the training worker asks of the page, where the page starts the workers. */
export type MemberReport =
  /** A worker is to be started, and given the port. */
  | { type: 'member-wanted'; member: number; port: MessagePort }
  | { type: 'member-dismissed'; member: number };

/** What such a worker is given first. */
export interface PortForMember {
  type: 'port';
  port: MessagePort;
}
