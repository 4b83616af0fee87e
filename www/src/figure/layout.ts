/** Where the picture lies in its frame: one scale for everything, as large as fits. */
import type { Extent, Picture } from './geometry.js';

export interface Frame {
  width: number;
  height: number;
  /** Kept free on every side. */
  margin: number;
}

export interface Point {
  x: number;
  y: number;
}

export interface Layout {
  /** Units of the frame for one unit of the gradient. */
  scale: number;
  /** The arrow points up instead of to the right: what lies across it has more room then. */
  up: boolean;
  tail: Point;
  tip: Point;
}

/** A round length, and how long it is in the frame. */
export interface ScaleBar {
  length: number;
  width: number;
}

/** Turning the picture must be worth it: a figure that often turns is hard to follow. */
const TURN_GAIN = 1.3;

export function layOut(picture: Picture, frame: Frame): Layout | null {
  const box = boundsOf(picture);
  const right = scaleFor(box.length, box.breadth, frame);
  const up = scaleFor(box.breadth, box.length, frame);
  const turned = up > right * TURN_GAIN;
  const scale = turned ? up : right;
  if (!Number.isFinite(scale)) return null;
  // Centred: along the arrow from `behind` the tail to `ahead` of the tip.
  const middle = (box.ahead + box.behind) / 2;
  const place = (along: number): Point =>
    turned
      ? { x: frame.width / 2, y: frame.height / 2 - (along - middle) * scale }
      : { x: frame.width / 2 + (along - middle) * scale, y: frame.height / 2 };
  return { scale, up: turned, tail: place(0), tip: place(picture.arrow) };
}

interface Bounds {
  behind: number;
  ahead: number;
  length: number;
  breadth: number;
}

function boundsOf({ arrow, noise, allowed }: Picture): Bounds {
  const along = Math.max(noise.along ?? 0, allowed.along ?? 0);
  const across = Math.max(noise.across ?? 0, allowed.across ?? 0);
  const behind = Math.min(0, arrow - along);
  const ahead = arrow + along;
  return { behind, ahead, length: ahead - behind, breadth: 2 * across };
}

function scaleFor(horizontal: number, vertical: number, { width, height, margin }: Frame): number {
  return Math.min((width - 2 * margin) / horizontal, (height - 2 * margin) / vertical);
}

/** The longest of 1, 2 and 5 times a power of ten that takes at most `most` of the frame. */
export function scaleBar(scale: number, most: number): ScaleBar {
  const length = roundDown(most / scale);
  return { length, width: length * scale };
}

/** A round window onto what is too small to be seen otherwise. */
export interface Lens {
  /** How many times larger it shows what it shows: 1, 2 or 5 times a power of ten. */
  factor: number;
  /** What lies in its middle: the arrow's middle, or its tip. */
  onTip: boolean;
}

/** An arrow shorter than this, or less allowed around its tip, can hardly be seen. */
const SHORTEST_ARROW = 30;
const LEAST_ALLOWED = 9;

/** Null where everything can be seen. */
export function lensFor(picture: Picture, scale: number, radius: number): Lens | null {
  const arrow = picture.arrow * scale;
  const allowed = extentReach(picture.allowed) * scale;
  if (arrow > 0 && arrow < SHORTEST_ARROW) return { factor: roundDown((1.5 * radius) / arrow), onTip: false };
  if (allowed > 0 && allowed < LEAST_ALLOWED) return { factor: roundDown((0.75 * radius) / allowed), onTip: true };
  return null;
}

export function extentReach(extent: Extent): number {
  return Math.max(extent.along ?? 0, extent.across ?? 0);
}

/** To 1, 2 or 5 times a power of ten. */
function roundDown(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [5, 2, 1].map((factor) => factor * power).find((candidate) => candidate <= value) ?? power;
}
