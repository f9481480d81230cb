/**
 * Maximum ratio of the scales of both axes. The network was trained on photographs of all shapes, stretched to 4:3, and finds
 * stretched faces; the more of the input a picture fills, the larger they are. But what fills it all makes of a portrait
 * photograph faces twice as wide as they were. docs/DETECTION.md has the measurement; at 4/3 a square photograph fills the input.
 */
const MAX_STRETCH = 4 / 3;

interface Size {
  width: number;
  height: number;
}

/** The size at which a picture is drawn into an input: as large as fits, its axes scaled by at most 4/3 of each other. */
export function fittedSize(picture: Size, input: Size): Size {
  const x = input.width / picture.width;
  const y = input.height / picture.height;
  return {
    width: atLeastOne(picture.width * Math.min(x, y * MAX_STRETCH)),
    height: atLeastOne(picture.height * Math.min(y, x * MAX_STRETCH)),
  };
}

const atLeastOne = (length: number) => Math.max(1, Math.round(length));
