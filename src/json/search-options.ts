import type { Config } from '../config/settings.ts';
import { ServiceError } from '../errors.ts';
import type { DetectionMode, FaceSelection } from '../vision/detect/selection.ts';
import type { EmbedOptions } from '../vision/pipeline.ts';

/** The options of a request about finding faces in its pictures, with the names they have there. */
export interface SearchOptions {
  faces: FaceSelection;
  detection?: DetectionMode | undefined;
  detection_threshold?: number | undefined;
}

/**
 * Refuses options that contradict each other. Here and not in the schemas, which would lose their shape for the documents.
 *
 * @throws {ServiceError} INVALID_REQUEST.
 */
export function assertConsistent({ faces, detection }: SearchOptions): void {
  if (detection === 'fast' && faces !== 'largest') {
    throw new ServiceError('INVALID_REQUEST', { detail: 'detection: fast goes with faces=largest only' });
  }
}

/** What a worker is told of them, with the service's own settings for what the request leaves open. */
export function toSearchOptions(
  { faces, detection, detection_threshold }: SearchOptions,
  config: Config,
): Omit<EmbedOptions, 'maxFaces'> {
  return {
    selection: faces,
    detection: detection ?? config.DETECTION,
    detectionThreshold: detection_threshold ?? config.DETECTION_THRESHOLD,
    maxPixels: config.MAX_IMAGE_PIXELS,
    reducedSide: config.REDUCED_DECODING_SIDE,
  };
}
