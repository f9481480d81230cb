import { ServiceError } from '../errors.ts';
import { encodeFaceImage } from './align/face-image.ts';
import type { FaceNetworks, FaceOptions, RunContext } from './embed-face.ts';
import type { Picture } from './picture.ts';
import { type LumaQuality, measureLuma } from './quality/quality.ts';

/** What can be measured of an aligned face by itself; size, pose, margin and score need the photograph it was cut from. */
export interface AlignedQuality extends Omit<LumaQuality, 'margin'> {
  /** L2 norm of the embedding before it is normalised. */
  embeddingNorm: number;
}

/** The face of a picture that shows an aligned face and nothing else. */
export interface EmbeddedAlignedFace {
  /** L2 norm 1. */
  embedding: Float32Array<ArrayBuffer>;
  /** The aligned face, a data URL; if requested. */
  image?: string;
  /** If requested. */
  quality?: AlignedQuality;
}

/**
 * Embeds a picture that is an aligned face, as `return_face` gives it: pixel for pixel what the recogniser takes.
 *
 * A picture of any other size is refused, not scaled: recognisers of another input size have another alignment, with other
 * margins round the face, and a face that is framed as the recogniser has not learnt it gets an embedding that matches nobody.
 *
 * @throws {ServiceError} INVALID_IMAGE when the picture does not have the size of the recogniser's input.
 */
export async function embedAlignedFace(
  { data, width, height }: Picture,
  options: FaceOptions,
  { recogniser }: Pick<FaceNetworks, 'recogniser'>,
  { coresIdle, lap }: RunContext,
): Promise<EmbeddedAlignedFace> {
  const size = recogniser.inputSize;
  if (width !== size || height !== size) {
    throw new ServiceError('INVALID_IMAGE', {
      message: 'The image is not an aligned face of this model.',
      detail: `It has ${width}×${height} pixels; with aligned=true, this model takes ${size}×${size}.`,
    });
  }
  const face = { pixels: data, size };
  const image = options.returnFace ? { image: await encodeFaceImage(face, options.faceFormat) } : {};
  lap('align');
  const measured = options.quality ? measureLuma(face) : undefined;
  lap('quality');
  const { embedding, norm: embeddingNorm } = await recogniser.embedAligned(face, { coresIdle });
  lap('recognise');
  if (measured === undefined) return { embedding, ...image };
  const { margin: _, ...luma } = measured;
  return { embedding, ...image, quality: { ...luma, embeddingNorm } };
}
