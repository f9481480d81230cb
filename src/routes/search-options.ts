import type { Config } from '../config/settings.ts';
import type { RequestOptions } from '../json/embed-options.ts';
import type { EmbedOptions } from '../vision/pipeline.ts';

type SearchOptions = Pick<RequestOptions, 'faces' | 'detection' | 'detection_threshold' | 'orientation'>;

/** The pipeline's options for finding faces: those of the request, completed by the service's settings. */
export function toSearchOptions(
  { faces, detection, detection_threshold, orientation }: SearchOptions,
  config: Config,
): Omit<EmbedOptions, 'maxFaces'> {
  return {
    selection: faces,
    detection: detection ?? config.DETECTION,
    detectionThreshold: detection_threshold ?? config.DETECTION_THRESHOLD,
    orientation: orientation ?? config.ORIENTATION,
    maxPixels: config.MAX_IMAGE_PIXELS,
    colourProfiles: config.COLOUR_PROFILES,
    reducedSide: config.REDUCED_DECODING_SIDE,
  };
}
