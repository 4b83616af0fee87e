/**
 * uPlot writes numbers in the browser's language, and asks for it while its module loads. Systems without a language
 * call it “C”, which is none that Intl knows: then it is English, as the page is. Import it before uPlot.
 */
try {
  new Intl.NumberFormat(navigator.language);
} catch {
  Object.defineProperty(navigator, 'language', { value: 'en', configurable: true });
}
