import { resolve } from 'node:path';
import { ServiceError } from '../../../src/errors.ts';
import { resolvePack } from '../../../src/packs/resolve.ts';
import type { EmbeddedFace } from '../../../src/vision/embed-face.ts';
import { loadNetworks } from '../../../src/vision/networks.ts';
import { embedFaces } from '../../../src/vision/pipeline.ts';
import type { Photo } from '../photos.ts';

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
 *   there is no face.
 */
export async function openPipeline({
  pack,
  models,
}: PackLocation): Promise<(bytes: Buffer) => Promise<LargestFace | undefined>> {
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
  } as const;
  return async (bytes) => {
    try {
      const { faces, timings } = await embedFaces(new Uint8Array(bytes), options, networks);
      return { face: faces[0] as EmbeddedFace, timings };
    } catch (error) {
      if (error instanceof ServiceError && error.code === 'NO_FACE_DETECTED') return undefined;
      throw error;
    }
  };
}
