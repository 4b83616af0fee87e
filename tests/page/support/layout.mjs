// What a layout must not do, and what charts and text must be seen by.

/** Elements that reach beyond the right edge; a document that scrolls sideways is one itself. */
export function stickingOut(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const wide = [...document.body.querySelectorAll('*')].filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 0 && box.right > width + 0.5 && !element.closest('.chart-stage, svg *, .table-scroller table');
    });
    const scrolls = document.documentElement.scrollWidth > width ? ['the document scrolls sideways'] : [];
    return [...scrolls, ...wide.map((element) => element.outerHTML.slice(0, 80))];
  });
}

/** Charts on whose canvas too few pixels have the curves' colours. */
export function chartsWithoutCurve(page) {
  return page.evaluate(() => {
    const style = getComputedStyle(document.documentElement);
    const colours = ['--accent', '--contrast'].map((name) => {
      const hex = style.getPropertyValue(name).trim();
      return [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));
    });
    const inked = (canvas) => {
      // A copy: reading the chart's own canvas twice would change how the browser draws it.
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      for (let index = 0; index < data.length; index += 4) {
        const near = ([red, green, blue]) =>
          Math.abs(data[index] - red) + Math.abs(data[index + 1] - green) + Math.abs(data[index + 2] - blue) < 30;
        if (data[index + 3] > 200 && colours.some(near)) count += 1;
      }
      return count;
    };
    return [...document.querySelectorAll('#chart-batch, #charts figure.chart')].filter((figure) => inked(figure.querySelector('canvas')) < 8).map(({ id }) => id);
  });
}

/** The least contrast between the lead's text and the page behind it (WCAG 2). */
export function contrastOfText(page) {
  return page.evaluate(() => {
    const luminance = (colour) => {
      const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => {
        const share = Number(part) / 255;
        return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const text = luminance(getComputedStyle(document.querySelector('.lead')).color);
    const behind = luminance(getComputedStyle(document.body).backgroundColor);
    return (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
  });
}
