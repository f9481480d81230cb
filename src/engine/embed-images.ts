import { type ErrorCode, ServiceError } from '../errors.ts';
import type { EmbedOptions } from '../vision/pipeline.ts';
import type { Admission, EmbedAnswer } from './engine.ts';

/** Encoded bytes, or why there are none. */
export type GivenImage = Uint8Array<ArrayBuffer> | RefusedImage;

/** An image that could not be read from its request. Plain data, as a ServiceError does not survive the way between threads. */
export interface RefusedImage {
  code: ErrorCode;
  detail: string;
}

/** What became of one image. */
export type ImageOutcome =
  | { /** Its place among the images, from 0. */ index: number; answer: EmbedAnswer }
  | { index: number; error: ServiceError };

export interface EmbedImagesOptions {
  options: EmbedOptions;
  /** Most images in the hands of the engine at one time: as many as its workers take. */
  atOnce: number;
  /** Leaves out what has not been started. */
  signal?: AbortSignal;
  /** Whether nothing more is begun once an image has failed. Without it an image that fails never fails the others. */
  stopAtFailure?: boolean;
  /** Told once of each image, in the order in which they are done. */
  onOutcome: (outcome: ImageOutcome) => void;
}

/**
 * Embeds several images of one request on all free workers.
 *
 * No more than `atOnce` wait in the queue or are worked on. The queue is first come first served, so whoever comes beside a
 * long batch waits behind that many of its images and not behind all of them; and the deadline of an image counts from when
 * it joins the queue.
 *
 * @param admission has a place for each image. It is not released here.
 * @param images are moved to the workers: the caller's arrays are empty afterwards.
 * @throws the signal's reason when images were left out, once those that had started are done.
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
    return image && outcomeOf(admission, image, index, options, signal);
  };
  const runLane = async () => {
    let current = submitNext();
    while (current) {
      const outcome = await current;
      stopped ||= stopAtFailure && 'error' in outcome;
      // The next one first, so that no worker waits while an answer is written.
      current = submitNext();
      onOutcome(outcome);
    }
  };
  const lanes = Array.from({ length: Math.min(atOnce, images.length) }, runLane);
  // All of them, as the places must be kept until no worker is busy with these images any more.
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
    signal?.throwIfAborted();
    return {
      index,
      error: error instanceof ServiceError ? error : new ServiceError('PROCESSING_ERROR', { cause: error }),
    };
  }
}
