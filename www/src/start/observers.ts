/** Stand-ins where a browser, or an extension, withholds the observers: the page then follows the window alone. Import it first. */

/** Reports at once, and whenever the window or a style sheet may have changed sizes. */
class SizesOfWindow {
  readonly #report: () => void;

  constructor(callback: ResizeObserverCallback) {
    this.#report = () => callback([], this as unknown as ResizeObserver);
  }

  observe(): void {
    requestAnimationFrame(this.#report);
    window.addEventListener('resize', this.#report);
    document.addEventListener('load', this.#report, true);
  }

  unobserve(): void {
    this.disconnect();
  }

  disconnect(): void {
    window.removeEventListener('resize', this.#report);
    document.removeEventListener('load', this.#report, true);
  }
}

/** Takes everything for visible. */
class AllInView {
  readonly #callback: IntersectionObserverCallback;

  constructor(callback: IntersectionObserverCallback) {
    this.#callback = callback;
  }

  observe(target: Element): void {
    const entry = { target, isIntersecting: true, intersectionRatio: 1 } as IntersectionObserverEntry;
    requestAnimationFrame(() => this.#callback([entry], this as unknown as IntersectionObserver));
  }

  unobserve(): void {}

  disconnect(): void {}
}

const stands: Record<string, unknown> = { ResizeObserver: SizesOfWindow, IntersectionObserver: AllInView };
for (const [name, value] of Object.entries(stands)) {
  if (typeof (window as unknown as Record<string, unknown>)[name] !== 'function') Object.defineProperty(window, name, { value, configurable: true, writable: true });
}
