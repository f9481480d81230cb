import sharp from 'sharp';

// A minimal pipeline to test the synthetic networks without the service's own stages.

export interface Picture {
  /** RGB, row by row. */
  pixels: Uint8Array;
  width: number;
  height: number;
}

export async function decode(encoded: Buffer): Promise<Picture> {
  const { data, info } = await sharp(encoded).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { pixels: new Uint8Array(data), width: info.width, height: info.height };
}

/** Independent random pixels, the same for the same seed. */
export function noise(width: number, height: number, seed: number): Picture {
  let state = seed;
  const pixels = Uint8Array.from({ length: width * height * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 24;
  });
  return { pixels, width, height };
}

/** A bilinear sample as in OpenCV's resize, with samples `step` pixels apart from the corner (left, top) on. */
export function sample(
  picture: Picture,
  left: number,
  top: number,
  step: number,
  x: number,
  y: number,
  channel: number,
) {
  const at = (column: number, row: number) => {
    const c = Math.min(picture.width - 1, Math.max(0, column));
    const r = Math.min(picture.height - 1, Math.max(0, row));
    return picture.pixels[(r * picture.width + c) * 3 + channel] as number;
  };
  const px = left + (x + 0.5) * step - 0.5;
  const py = top + (y + 0.5) * step - 0.5;
  const column = Math.floor(px);
  const row = Math.floor(py);
  const upper = at(column, row) * (column + 1 - px) + at(column + 1, row) * (px - column);
  const lower = at(column, row + 1) * (column + 1 - px) + at(column + 1, row + 1) * (px - column);
  return Math.round(upper * (row + 1 - py) + lower * (py - row));
}
