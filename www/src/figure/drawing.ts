/** Draws a picture of the test as SVG. Knows lengths and colours, but nothing of training. */
import { svgElement, setAttributes } from './svg.js';
import type { Extent, Picture } from './geometry.js';
import { extentReach, layOut, lensFor, scaleBar } from './layout.js';
import type { Frame, Layout, Lens, Point } from './layout.js';
import { formatMeasure } from '../format.js';

const LENS_RADIUS = { narrow: 30, wide: 44 };
const WIDE_FRAME = 320;
const LENS_MARGIN = 6;
const HEAD = 11;
/** Half the thickness of the bars that stand for one direction alone. */
const BAR = { noise: 5, allowed: 11, next: 5 } as const;

type Kind = keyof typeof BAR;

/** One extent around the tip: a disc, or a bar along the arrow and one across it. */
class ExtentMark {
  readonly root: SVGGElement;
  readonly #half: number;
  readonly #disc = svgElement('circle');
  readonly #along = svgElement('rect');
  readonly #across = svgElement('rect');

  constructor(kind: Kind) {
    this.root = svgElement('g', { class: `figure-${kind}` });
    this.#half = BAR[kind];
    this.root.append(this.#disc, this.#along, this.#across);
  }

  show(shape: Picture['shape'], extent: Extent | null, layout: Layout): void {
    const along = extent?.along ?? null;
    const across = extent?.across ?? null;
    const disc = shape === 'disc' ? (along ?? across) : null;
    toggle(this.#disc, disc !== null);
    if (disc !== null) setAttributes(this.#disc, { cx: layout.tip.x, cy: layout.tip.y, r: disc * layout.scale });
    this.#showBar(this.#along, shape === 'bars' ? along : null, layout, !layout.up);
    this.#showBar(this.#across, shape === 'bars' ? across : null, layout, layout.up);
  }

  #showBar(bar: SVGRectElement, length: number | null, { tip, scale }: Layout, horizontal: boolean): void {
    toggle(bar, length !== null);
    if (length === null) return;
    const width = horizontal ? length * scale : this.#half;
    const height = horizontal ? this.#half : length * scale;
    setAttributes(bar, { x: tip.x - width, y: tip.y - height, width: 2 * width, height: 2 * height });
  }
}

/** Everything that is drawn to one scale. */
class Marks {
  readonly root = svgElement('g');
  readonly #allowed = new ExtentMark('allowed');
  readonly #noise = new ExtentMark('noise');
  readonly #next = new ExtentMark('next');
  readonly #arrow = svgElement('path', { class: 'figure-arrow' });

  constructor() {
    this.root.append(this.#noise.root, this.#allowed.root, this.#next.root, this.#arrow);
  }

  show(picture: Picture, layout: Layout): void {
    this.#allowed.show(picture.shape, picture.allowed, layout);
    this.#noise.show(picture.shape, picture.noise, layout);
    this.#next.show(picture.shape, picture.next, layout);
    // The smaller one lies on the larger, each in its own colour.
    const [below, above] = extentReach(picture.noise) > extentReach(picture.allowed) ? [this.#noise, this.#allowed] : [this.#allowed, this.#noise];
    if (below.root.nextSibling !== above.root) above.root.before(below.root);
    setAttributes(this.#arrow, { d: arrowPath(layout.tail, layout.tip) });
  }
}

export class Drawing {
  readonly #svg: SVGSVGElement;
  readonly #marks = new Marks();
  readonly #bar = svgElement('g', { class: 'figure-scale' });
  readonly #barLine = svgElement('path');
  readonly #barText = svgElement('text');
  readonly #lens = svgElement('g', { class: 'figure-lens' });
  readonly #lensMarks = new Marks();
  readonly #lensText = svgElement('text', { 'text-anchor': 'end' });
  /** Its edge to cut off with, its ground, its rim. */
  readonly #lensCircles = [
    svgElement('circle'),
    svgElement('circle', { class: 'figure-lens-ground' }),
    svgElement('circle', { class: 'figure-lens-rim' }),
  ] as const;

  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
    const [edge, ground, rim] = this.#lensCircles;
    const clip = svgElement('clipPath', { id: 'figure-lens-clip' });
    clip.append(edge);
    const clipped = svgElement('g', { 'clip-path': 'url(#figure-lens-clip)' });
    clipped.append(ground, this.#lensMarks.root);
    this.#lens.append(clip, clipped, rim, this.#lensText);
    this.#bar.append(this.#barLine, this.#barText);
    svg.append(this.#marks.root, this.#lens, this.#bar);
  }

  /** `unit`: what the scale bar's length is told in. Null clears the drawing. */
  show(picture: Picture | null, frame: Frame, unit: string): void {
    setAttributes(this.#svg, { viewBox: `0 0 ${frame.width} ${frame.height}`, width: frame.width, height: frame.height });
    const layout = picture === null ? null : layOut(picture, frame);
    for (const group of [this.#marks.root, this.#bar, this.#lens]) toggle(group, layout !== null);
    if (picture === null || layout === null) return;
    this.#marks.show(picture, layout);
    this.#showScale(layout, frame, unit);
    this.#showLens(picture, layout, frame);
  }

  #showScale({ scale }: Layout, frame: Frame, unit: string): void {
    const { length, width } = scaleBar(scale, frame.width / 4);
    const [x, y] = [10, frame.height - 10];
    setAttributes(this.#barLine, { d: `M${x} ${y - 5}v5h${width}v-5` });
    setAttributes(this.#barText, { x: x + width + 8, y });
    this.#barText.textContent = `${formatMeasure(length)}${unit}`;
  }

  #showLens(picture: Picture, layout: Layout, frame: Frame): void {
    const radius = frame.width < WIDE_FRAME ? LENS_RADIUS.narrow : LENS_RADIUS.wide;
    const lens = lensFor(picture, layout.scale, radius);
    toggle(this.#lens, lens !== null);
    if (lens === null) return;
    const centre = { x: frame.width - radius - LENS_MARGIN, y: radius + LENS_MARGIN };
    setAttributes(this.#lens, { transform: `translate(${centre.x} ${centre.y})` });
    for (const circle of this.#lensCircles) setAttributes(circle, { r: radius });
    this.#lensMarks.show(picture, inLens(picture, layout, lens));
    setAttributes(this.#lensText, { x: radius, y: radius + 16 });
    this.#lensText.textContent = `${formatMeasure(lens.factor)} times larger`;
  }
}

/** In the lens's own coordinates: 0 is its middle. */
function inLens(picture: Picture, layout: Layout, lens: Lens): Layout {
  const scale = layout.scale * lens.factor;
  const length = picture.arrow * scale;
  const ahead = lens.onTip ? 0 : length / 2;
  const place = (along: number): Point => (layout.up ? { x: 0, y: -along } : { x: along, y: 0 });
  return { ...layout, scale, tail: place(ahead - length), tip: place(ahead) };
}

function toggle(target: SVGElement, shown: boolean): void {
  if (shown) target.removeAttribute('visibility');
  else target.setAttribute('visibility', 'hidden');
}

/** A line with a head; the head of a short arrow is smaller, so that the length stays true. */
function arrowPath(tail: Point, tip: Point): string {
  const length = Math.hypot(tip.x - tail.x, tip.y - tail.y);
  if (length < 0.5) return `M${tip.x - 0.5} ${tip.y}h1`;
  const head = Math.min(HEAD, 0.6 * length);
  const [x, y] = [(tip.x - tail.x) / length, (tip.y - tail.y) / length];
  const wing = (side: number): string =>
    `${tip.x - head * x - side * 0.55 * head * y} ${tip.y - head * y + side * 0.55 * head * x}`;
  return `M${tail.x} ${tail.y}L${tip.x} ${tip.y}M${wing(1)}L${tip.x} ${tip.y}L${wing(-1)}`;
}
