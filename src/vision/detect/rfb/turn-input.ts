/** Degrees clockwise. */
export type QuarterTurn = 90 | 180 | 270;

/** A network input of three planes. */
interface Planes {
  input: Float32Array;
  width: number;
  height: number;
}

/**
 * Turns the planes of an input.
 *
 * @param turned as many numbers; overwritten. After 90 and 270 degrees, width and height have changed places.
 */
export function turnInput({ input, width, height }: Planes, turn: QuarterTurn, turned: Float32Array): void {
  const plane = width * height;
  for (let from = 0; from < input.length; from += plane) {
    let source = from;
    for (let y = 0; y < height; y++) {
      // Where a row's first pixel goes, and how far from it the next one of the row.
      const [start, step] =
        turn === 180
          ? [plane - 1 - y * width, -1]
          : turn === 90
            ? [height - 1 - y, height]
            : [(width - 1) * height + y, -height];
      let to = from + start;
      for (let x = 0; x < width; x++, to += step) turned[to] = input[source++] as number;
    }
  }
}
