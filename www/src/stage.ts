/** How much room the style sheet gives a picture on the stage: the batch, the test, the batch size. */

/** Of a picture, in pixels, until the style sheet is there: a frame as high as its picture would never come to rest. */
const USUAL_HEIGHT = 210;

export function roomOn(stage: HTMLElement): { width: number; height: number } {
  const isStyled = getComputedStyle(stage).getPropertyValue('--stage-height') !== '';
  return { width: stage.clientWidth, height: isStyled ? stage.clientHeight : USUAL_HEIGHT };
}
