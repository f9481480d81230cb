import type { GivenImage } from '../engine/embed-images.ts';
import { ServiceError } from '../errors.ts';
import { assertFew } from './assert-at-most.ts';
import { readImageText } from './image-text.ts';
import { LongText, parseLongJson } from './long-json.ts';

/*
 * Reads the images out of a JSON body of `/v1/embed`. It runs on the thread for large bodies and so must not load the
 * schemas, which would cost that thread 70 ms and 20 MB; what it leaves is small and validated on the main thread.
 */

export interface EmbedBodyLimits {
  MAX_IMAGE_SIZE: number;
  MAX_BATCH_SIZE: number;
}

export interface EmbedBody {
  images: GivenImage[];
  /** Whether `images` was given, and not `image`. */
  batch: boolean;
  /** The body with empty texts for images, and with nothing inside of other members: what is left to be validated. */
  skeleton: unknown;
}

/** More members than any valid body has: enough to name some that are unknown. */
const MOST_MEMBERS = 64;
/** Longer than any valid option. */
const LONGEST_OPTION = 100;

/** @throws {ServiceError} INVALID_REQUEST, or REQUEST_TOO_LARGE for too many images. */
export function readEmbedBody(bytes: Uint8Array, limits: EmbedBodyLimits): EmbedBody {
  const body = parseLongJson(bytes);
  if (typeof body !== 'object' || body === null || Array.isArray(body) || isText(body)) {
    return { images: [], batch: false, skeleton: hollow(body) };
  }
  const { image, images, ...others } = body as { image?: unknown; images?: unknown };
  if (image !== undefined && images !== undefined) {
    throw new ServiceError('INVALID_REQUEST', { detail: 'image: expected either image or images, not both' });
  }
  if (Array.isArray(images)) assertFew(images.length, limits.MAX_BATCH_SIZE, 'images');
  const batch = images !== undefined;
  const texts: readonly unknown[] = Array.isArray(images) ? images : [batch ? images : image];
  const skeleton = hollowMembers(others);
  if (batch) skeleton.images = Array.isArray(images) ? images.map(hollow) : hollow(images);
  else if (image !== undefined) skeleton.image = hollow(image);
  return { images: readTexts(texts, limits), batch, skeleton };
}

/** Nothing where one is no text: the schema will refuse them all. */
function readTexts(texts: readonly unknown[], { MAX_IMAGE_SIZE }: EmbedBodyLimits): GivenImage[] {
  if (!texts.every(isText)) return [];
  return texts.map((text) => readImageText(text, MAX_IMAGE_SIZE));
}

function isText(value: unknown): value is string | LongText {
  return typeof value === 'string' || value instanceof LongText;
}

/** A value of the same kind with little in it. */
function hollow(value: unknown): unknown {
  if (isText(value)) return '';
  if (Array.isArray(value)) return [];
  return typeof value === 'object' && value !== null ? {} : value;
}

/** Options are short texts, numbers and truth values; of anything else, the kind is enough to refuse it. */
function hollowMembers(members: object): Record<string, unknown> {
  // With a prototype, a member of the name __proto__ would become one.
  const shell: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(members).slice(0, MOST_MEMBERS)) {
    shell[name] = isText(value) ? value.slice(0, LONGEST_OPTION) : hollow(value);
  }
  return shell;
}
