/** Tells whether an element can be seen: scrolled into view, in a tab that is shown. */
export function whileVisible(target: Element, tell: (visible: boolean) => void): void {
  let inView = false;
  let told: boolean | null = null;
  const judge = (): void => {
    const visible = inView && document.visibilityState === 'visible';
    if (visible === told) return;
    told = visible;
    tell(visible);
  };
  new IntersectionObserver((entries) => {
    inView = entries.at(-1)?.isIntersecting ?? false;
    judge();
  }).observe(target);
  document.addEventListener('visibilitychange', judge);
}
