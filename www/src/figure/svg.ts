/** The little SVG that this page draws by hand. */
const NAMESPACE = 'http://www.w3.org/2000/svg';

type Attributes = Record<string, string | number>;

export function svgElement<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
): SVGElementTagNameMap[Tag] {
  const created = document.createElementNS(NAMESPACE, tag);
  setAttributes(created, attributes);
  return created;
}

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    // A hundredth of a pixel cannot be seen; long numbers only make the document larger.
    target.setAttribute(name, typeof value === 'number' ? String(Math.round(value * 100) / 100) : value);
  }
}
