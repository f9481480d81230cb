import { type ErrorCode, ServiceError } from '../errors.ts';
import type { EmbedOptions } from '../vision/pipeline.ts';
import type { Admission, EmbedAnswer } from './engine.ts';

/** Encoded bytes, or the reason why there are none. */
export type GivenImage = Uint8Array<ArrayBuffer> | RefusedImage;

/** An image that could not be read from its request. Plain data, since a ServiceError does not survive structured cloning. */
export interface RefusedImage {
  code: ErrorCode;
  detail: string;
}

/** The answer for one image, or its error. */
export type ImageOutcome =
  | { /** The image's position in the request, from 0. */ index: number; answer: EmbedAnswer }
  | { index: number; error: ServiceError };

export interface EmbedImagesOptions {
  /** The same for all images, or those of each. */
  options: EmbedOptions | ((index: number) => EmbedOptions);
  /** Maximum images handed to the engine at a time: as many as its workers process. */
  atOnce: number;
  /** Skips the images that have not been started. */
  signal?: AbortSignal;
  /** Whether no further image is started after the first failure. By default, an image that fails does not affect the others. */
  stopAtFailure?: boolean;
  /** Called once for each image, in the order in which they finish. */
  onOutcome: (outcome: ImageOutcome) => void;
}

/**
 * Embeds several images of one request on all free workers.
 *
 * At most `atOnce` of them are queued or processed at a time. The queue is first come first served, so another request waits
 * behind that many images of a long batch and not behind all of them; and an image's deadline starts when it joins the queue.
 *
 * @param admission has a place for each image. It is not released here.
 * @param images are transferred to the workers: the caller's arrays are empty afterwards.
 * @throws the signal's reason when images were skipped, once those that had started are finished.
 */
export async function embedImages(
  admission: Admission,
  images: readonly GivenImage[],
  { options, atOnce, signal, stopAtFailure = false, onOutcome }: EmbedImagesOptions,
): Promise<void> {
  let next = 0;
  let stopped = false;
  const submitNext = (): Promise<ImageOutcome> | undefined => {
    if (stopped) return undefined;
    const index = next++;
    const image = images[index];
    const own = typeof options === 'function' ? options(index) : options;
    return image && outcomeOf(admission, image, index, own, signal);
  };
  const runLane = async () => {
    let current = submitNext();
    while (current) {
      const outcome = await current;
      stopped ||= stopAtFailure && 'error' in outcome;
      // Submitted before the answer is written, so that no worker waits for that.
      current = submitNext();
      onOutcome(outcome);
    }
  };
  const lanes = Array.from({ length: Math.min(atOnce, images.length) }, runLane);
  // Wait for all lanes: the places must be kept until no worker processes these images any more.
  const ends = await Promise.allSettled(lanes);
  const failure = ends.find((end) => end.status === 'rejected');
  if (failure) throw failure.reason;
}

async function outcomeOf(
  admission: Admission,
  image: GivenImage,
  index: number,
  options: EmbedOptions,
  signal: AbortSignal | undefined,
): Promise<ImageOutcome> {
  signal?.throwIfAborted();
  if (!(image instanceof Uint8Array)) {
    return { index, error: new ServiceError(image.code, { detail: image.detail }) };
  }
  try {
    return { index, answer: await admission.embed(image, options, signal) };
  } catch (error) {
    // Any other error is reported even if nobody waits for it, since it may be unforeseen.
    if (signal?.aborted && error === signal.reason) throw error;
    return {
      index,
      error: error instanceof ServiceError ? error : new ServiceError('PROCESSING_ERROR', { cause: error }),
    };
  }
}
