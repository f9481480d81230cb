/** Where each pixel of one resized axis comes from: two neighbouring source samples and their weights. */
export interface AxisTaps {
  first: Uint32Array;
  second: Uint32Array;
  firstWeight: Int16Array;
  secondWeight: Int16Array;
}

/** The weight 1 in OpenCV's fixed point for 8-bit pictures, which has 11 bits. */
const WEIGHT_ONE = 1 << 11;

/** The taps of OpenCV's INTER_LINEAR for 8 bits, from `sourceLength` samples to `length`. */
export function axisTaps(sourceLength: number, length: number): AxisTaps {
  const taps: AxisTaps = {
    first: new Uint32Array(length),
    second: new Uint32Array(length),
    firstWeight: new Int16Array(length),
    secondWeight: new Int16Array(length),
  };
  const scale = sourceLength / length;
  for (let i = 0; i < length; i++) {
    // Pixel centres are at halves; float32 as in OpenCV.
    const position = Math.fround((i + 0.5) * scale - 0.5);
    const floor = Math.floor(position);
    const inside = floor >= 0 && floor < sourceLength - 1;
    const source = Math.min(Math.max(floor, 0), sourceLength - 1);
    const fraction = inside ? Math.fround(position - floor) : 0;
    taps.first[i] = source;
    taps.second[i] = inside ? source + 1 : source;
    taps.firstWeight[i] = roundHalfEven((1 - fraction) * WEIGHT_ONE);
    taps.secondWeight[i] = roundHalfEven(fraction * WEIGHT_ONE);
  }
  return taps;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}
