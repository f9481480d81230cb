import sharp from 'sharp';

/** A pixel rectangle; right and bottom are exclusive. */
interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export type Network = 'detector' | 'recogniser';

export interface ReferenceInput {
  name: string;
  network: Network;
  side: number;
  /** Three planes of side × side. */
  data: Float32Array;
}

/** The inputs of InsightFace's networks: the picture fitted into two squares, and one face. */
const INPUTS: readonly Omit<ReferenceInput, 'data'>[] = [
  { name: 'detector 128', network: 'detector', side: 128 },
  { name: 'detector 640', network: 'detector', side: 640 },
  { name: 'recogniser', network: 'recogniser', side: 112 },
];

/**
 * Inputs for the reference, made without the service's own code, so that a change there cannot make the reference slower or
 * faster. Timing does not depend on how exactly pixels were interpolated.
 *
 * @param box a face in the picture.
 */
export async function makeReferenceInputs(picture: Buffer, box: Box): Promise<ReferenceInput[]> {
  const { width, height } = await sharp(picture).metadata();
  const left = Math.max(0, Math.floor(box.left));
  const top = Math.max(0, Math.floor(box.top));
  const face = {
    left,
    top,
    width: Math.max(1, Math.min(width, Math.ceil(box.right)) - left),
    height: Math.max(1, Math.min(height, Math.ceil(box.bottom)) - top),
  };
  return Promise.all(
    INPUTS.map(async (input) => {
      const { side } = input;
      const image =
        input.network === 'detector'
          ? sharp(picture).resize(side, side, { fit: 'contain', position: 'left top', background: '#000' })
          : sharp(picture).extract(face).resize(side, side, { fit: 'fill' });
      const pixels = await image.removeAlpha().toColourspace('srgb').raw().toBuffer();
      return { ...input, data: toPlanes(pixels, side) };
    }),
  );
}

/** Interleaved bytes → three planes of values from −1 to 1. */
function toPlanes(pixels: Uint8Array, side: number): Float32Array {
  const plane = side * side;
  const data = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < 3; channel++)
      data[channel * plane + i] = ((pixels[i * 3 + channel] as number) - 127.5) / 127.5;
  }
  return data;
}
