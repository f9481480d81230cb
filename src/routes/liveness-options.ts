import type { Config } from '../config/settings.ts';
import type { LoadedModel } from '../engine/engine.ts';
import { ServiceError } from '../errors.ts';
import type { RequestOptions } from '../json/embed-options.ts';
import type { LivenessOptions } from '../vision/liveness/liveness-model.ts';

interface Asked extends Pick<RequestOptions, 'liveness'> {
  /** Whether the picture is an aligned face, which lacks what surrounds a face. */
  aligned?: boolean | undefined;
}

type Settings = Pick<Config, 'LIVENESS' | 'LIVENESS_MODEL'>;

/**
 * Refuses what the service cannot do: liveness without a model, a decision without a threshold, and either of an aligned face,
 * which must not pass where live faces are required.
 *
 * @param model undefined while it is being loaded.
 * @throws {ServiceError} INVALID_REQUEST.
 */
export function assertLivenessPossible(
  { liveness: asked, aligned }: Asked,
  { LIVENESS, LIVENESS_MODEL }: Settings,
  model: LoadedModel | undefined,
): void {
  const mode = asked ?? LIVENESS;
  if (mode === 'off') return;
  if (LIVENESS_MODEL === '') {
    throw new ServiceError('INVALID_REQUEST', {
      detail: `liveness: ${mode} needs LIVENESS_MODEL, and this service has none`,
    });
  }
  if (aligned && (asked !== undefined || mode === 'require')) {
    throw new ServiceError('INVALID_REQUEST', {
      detail: `liveness: ${mode} does not go with an aligned face, of which nothing tells whether it was live`,
    });
  }
  if (mode === 'require' && model !== undefined && model.liveness?.threshold === undefined) {
    throw new ServiceError('INVALID_REQUEST', {
      detail:
        'liveness: require needs a threshold, and this service has none (LIVENESS_THRESHOLD, liveness.json)',
    });
  }
}

/** The pipeline's options for liveness; undefined if it is off. */
export function toLivenessOptions(
  { liveness: asked }: Asked,
  { LIVENESS }: Settings,
  { liveness }: LoadedModel,
): LivenessOptions | undefined {
  const mode = asked ?? LIVENESS;
  if (mode === 'off') return undefined;
  return { required: mode === 'require', threshold: liveness?.threshold };
}
