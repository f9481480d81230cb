import sharp from 'sharp';

/** What InsightFace's networks are given: the picture fitted into two squares, and one face. */
export const REFERENCE_INPUTS = [
  { name: 'detector 128', network: 'detector', side: 128 },
  { name: 'detector 640', network: 'detector', side: 640 },
  { name: 'recogniser', network: 'recogniser', side: 112 },
];

/**
 * Inputs for the reference, made without the service's own code, so that no improvement there can make the reference
 * slower or faster. Timing does not depend on how exactly the pixels were interpolated.
 *
 * @param box of a face in the picture.
 */
export async function makeReferenceInputs(picture, box) {
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
    REFERENCE_INPUTS.map(async (input) => {
      const image =
        input.network === 'detector'
          ? sharp(picture).resize(input.side, input.side, {
              fit: 'contain',
              position: 'left top',
              background: '#000',
            })
          : sharp(picture).extract(face).resize(input.side, input.side, { fit: 'fill' });
      const pixels = await image.removeAlpha().toColourspace('srgb').raw().toBuffer();
      return { ...input, data: toPlanes(pixels, input.side) };
    }),
  );
}

/** Interleaved bytes → three planes from −1 to 1. */
function toPlanes(pixels, side) {
  const plane = side * side;
  const data = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < 3; channel++)
      data[channel * plane + i] = (pixels[i * 3 + channel] - 127.5) / 127.5;
  }
  return data;
}
