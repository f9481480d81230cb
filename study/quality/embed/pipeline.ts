import { resolve } from 'node:path';
import { ServiceError } from '../../../src/errors.ts';
import { resolvePack } from '../../../src/packs/resolve.ts';
import { FACE_FORMATS, type FaceFormat } from '../../../src/vision/align/face-format.ts';
import type { EmbeddedFace } from '../../../src/vision/embed-face.ts';
import { loadNetworks } from '../../../src/vision/networks.ts';
import { type EmbedOptions, embedFaces } from '../../../src/vision/pipeline.ts';
import { similarity } from '../comparisons.ts';
import type { Photo, ReturnedFace } from '../photos.ts';

export interface PackLocation {
  pack: string;
  /** The folder that holds the pack's folder. */
  models: string;
}

/** The largest face of a picture. */
export interface LargestFace {
  face: EmbeddedFace;
  timings: NonNullable<Photo['timings']>;
}

/**
 * Loads the networks as a worker of the service does.
 *
 * @returns a function that detects, measures and embeds the largest face of an encoded picture; it returns undefined if
 *   there is no face. And one that returns the aligned face of a picture in each format, and embeds it again.
 */
export async function openPipeline({ pack, models }: PackLocation): Promise<{
  embed: (bytes: Buffer) => Promise<LargestFace | undefined>;
  returnFaces: (bytes: Buffer) => Promise<Record<FaceFormat, ReturnedFace>>;
}> {
  const networks = await loadNetworks({
    pack: await resolvePack({ name: pack, modelsDir: resolve(models) }),
    device: 'cpu',
    intraOpThreads: 1,
    loneRequestThreads: 1,
    detectionSizes: [128, 640],
    rewrites: true,
  });
  const options = {
    selection: 'largest',
    detection: 'full',
    detectionThreshold: 0.5,
    maxFaces: 1,
    maxPixels: 5e7,
    quality: true,
  } as const satisfies EmbedOptions;
  const embed = async (bytes: Buffer) => {
    try {
      const { faces, timings } = await embedFaces(new Uint8Array(bytes), options, networks);
      return { face: faces[0] as EmbeddedFace, timings };
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'NO_FACE_DETECTED') return undefined;
      throw error;
    }
  };
  const returnFace = async (bytes: Buffer, faceFormat: FaceFormat): Promise<ReturnedFace> => {
    const { faces } = await embedFaces(
      new Uint8Array(bytes),
      { ...options, returnFace: true, faceFormat },
      networks,
    );
    const [face] = faces as [EmbeddedFace];
    const file = Buffer.from(face.image?.split(',')[1] ?? '', 'base64');
    const { aligned } = await embedFaces(new Uint8Array(file), { ...options, aligned: true }, networks);
    if (aligned === undefined) throw new Error('The aligned face was not embedded.');
    return { bytes: file.length, cosine: similarity(face.embedding, aligned.embedding) };
  };
  const returnFaces = async (bytes: Buffer) => {
    const entries: [FaceFormat, ReturnedFace][] = [];
    for (const format of FACE_FORMATS) entries.push([format, await returnFace(bytes, format)]);
    return Object.fromEntries(entries) as Record<FaceFormat, ReturnedFace>;
  };
  return { embed, returnFaces };
}
