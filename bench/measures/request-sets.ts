import { type PostRequest, post } from '../load/client.ts';
import type { Target } from '../load/load-generator.ts';
import type { PictureSize } from '../options.ts';
import type { PictureKind } from '../pictures/test-pictures.ts';
import { cosine } from '../statistics.ts';
import type { GeneratorContext } from './context.ts';

const JSON_HEADERS = { 'Content-Type': 'application/json' };
const EMBED_PATH = '/v1/embed';
/** Minimum cosine between the service's embedding and the peer's. */
const SAME_ANSWER = 0.999;
/** Minimum cosine at which two embeddings of a face count as unchanged. */
const UNCHANGED = 0.9999;
/** The service's default for MAX_IMAGE_SIZE. */
const MAX_PICTURE_BYTES = 10 * 1024 * 1024;

/** How a picture is sent. The peer gets the same JSON and ignores members it does not know. */
const TRANSPORTS = {
  json: (bytes: Buffer) => jsonRequest(bytes),
  fast: (bytes: Buffer) => jsonRequest(bytes, { detection: 'fast' }),
  raw: (body: Buffer) => ({ headers: { 'Content-Type': mediaType(body) }, body }),
};
export type Transport = keyof typeof TRANSPORTS;

export interface PictureRequest {
  size: PictureSize;
  kind: PictureKind;
  transport: Transport;
}

function jsonRequest(bytes: Buffer, options = {}): PostRequest {
  const body = Buffer.from(JSON.stringify({ image: bytes.toString('base64'), faces: 'largest', ...options }));
  return { headers: JSON_HEADERS, body };
}

function mediaType(bytes: Buffer): string {
  return bytes[0] === 0x89 ? 'image/png' : 'image/jpeg';
}

/** Prepares requests in the load generator, unless it has them. @returns where to send them, without the address. */
export async function requestSet(
  { generator, pictures }: GeneratorContext,
  { size, kind, transport }: PictureRequest,
): Promise<Omit<Target, 'address'>> {
  const set = `${size} ${kind} ${transport}`;
  if (generator.requestsOf(set) === undefined) {
    const list = pictures.get(size)?.[kind] ?? [];
    await generator.prepare(set, list.map(TRANSPORTS[transport]));
  }
  return { set, path: transport === 'raw' ? `${EMBED_PATH}?faces=largest` : EMBED_PATH };
}

async function requestsOf(
  context: GeneratorContext,
  options: PictureRequest,
): Promise<readonly PostRequest[]> {
  const { set } = await requestSet(context, options);
  return context.generator.requestsOf(set) ?? [];
}

export interface SameAnswers {
  /** Pictures compared. */
  count: number;
  /** Minimum cosine. */
  least: number;
}

/**
 * Verifies that two servers do the same work: both return the same embedding for every picture.
 *
 * @throws {Error} when an answer differs.
 */
export async function compareAnswers(
  context: GeneratorContext,
  [ours, theirs]: [ours: string, theirs: string],
  { sizes, quick }: { sizes: readonly PictureSize[]; quick: boolean },
): Promise<SameAnswers> {
  let least = 1;
  let count = 0;
  const kinds: PictureKind[] = quick ? ['photographs'] : ['photographs', 'portraits', 'png'];
  for (const size of sizes) {
    for (const kind of kinds) {
      if (context.pictures.get(size)?.[kind].some((bytes) => bytes.length > MAX_PICTURE_BYTES)) continue;
      for (const request of await requestsOf(context, { size, kind, transport: 'json' })) {
        const [a, b] = await Promise.all([embeddingOf(ours, request), embeddingOf(theirs, request)]);
        least = Math.min(least, cosine(a, b));
        count++;
      }
    }
  }
  if (!(least >= SAME_ANSWER))
    throw new Error(`The service and the peer return different embeddings: a cosine of ${least}.`);
  return { least, count };
}

export interface FastAnswers {
  /** Embeddings that changed. */
  changed: number;
  /** Pictures compared. */
  count: number;
}

/** Counts the embeddings that `detection=fast` changes on the pictures it is measured with. */
export async function compareFastAnswers(
  context: GeneratorContext,
  address: string,
  sizes: readonly PictureSize[],
): Promise<FastAnswers> {
  let changed = 0;
  let count = 0;
  for (const size of sizes) {
    const full = await requestsOf(context, { size, kind: 'portraits', transport: 'json' });
    const fast = await requestsOf(context, { size, kind: 'portraits', transport: 'fast' });
    for (const [index, request] of fast.entries()) {
      const [a, b] = await Promise.all([
        embeddingOf(address, full[index] as PostRequest),
        embeddingOf(address, request),
      ]);
      count++;
      if (cosine(a, b) < UNCHANGED) changed++;
    }
  }
  return { changed, count };
}

async function embeddingOf(address: string, request: PostRequest): Promise<number[]> {
  const { status, code, text = '' } = await post(address, EMBED_PATH, request, { keepText: true });
  if (status !== 200) throw new Error(`A test picture was refused: ${status} ${code}.`);
  return JSON.parse(text).embedding;
}
