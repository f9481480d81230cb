/**
 * By what the difference of the two classes' logits is divided. RFB answers 0.99 and more for nearly every face, also for one that
 * is turned or half hidden. Softened, its scores spread as SCRFD's do, from which the limits of the search for the upright
 * orientation and the weights of the quality score come. 558 photographs of LFW, best score:
 *
 * | | 1 % | 50 % | 95 % |
 * |---|---|---|---|
 * | upright, as published | 0.995 | 1.000 | 1.000 |
 * | upright, softened | 0.81 | 0.94 | 0.98 |
 * | turned by 90 degrees, softened | 0.36 | 0.51 | 0.76 |
 *
 * A score of 0.5 stays 0.5: the default threshold finds the same faces. The published 0.6 is 0.53 here, 0.7 is 0.55.
 */
const SOFTNESS = 4;

/**
 * The score of an anchor.
 *
 * @param background, face the network's shares of both classes, whose sum is 1.
 * @returns 0..1, in the order of `face`.
 */
export function softenedScore(background: number, face: number): number {
  return 1 / (1 + (background / face) ** (1 / SOFTNESS));
}

/** The share of the class `face` from which a softened score reaches the threshold. */
export function faceShareAt(threshold: number): number {
  return 1 / (1 + ((1 - threshold) / threshold) ** SOFTNESS);
}
