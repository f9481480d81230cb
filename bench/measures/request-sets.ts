import { post } from '../load/client.ts';
import { cosine } from '../statistics.ts';

const JSON_HEADERS = { 'Content-Type': 'application/json' };
const EMBED_PATH = '/v1/embed';
/** Least cosine between the service's embedding and the peer's. */
const SAME_ANSWER = 0.999;
/** Least cosine at which two embeddings of the same face count as unchanged. */
const UNCHANGED = 0.9999;

/** Transport → how a picture is sent. The peer gets the same JSON and ignores what it does not know. */
const TRANSPORTS = {
  json: (bytes) => asJson(bytes, {}),
  fast: (bytes) => asJson(bytes, { detection: 'fast' }),
  raw: (body) => ({ headers: { 'Content-Type': mediaType(body) }, body }),
};

function asJson(bytes, more) {
  const body = Buffer.from(JSON.stringify({ image: bytes.toString('base64'), faces: 'largest', ...more }));
  return { headers: JSON_HEADERS, body };
}

/** For example "250 photographs json"; the generator learns it when it is first asked for. */
export async function requestSet({ generator, album }, { size, kind, transport }) {
  const set = `${size} ${kind} ${transport}`;
  if (!generator.has(set)) {
    const list = album[size][kind].map((bytes) => TRANSPORTS[transport](bytes));
    await generator.prepare(set, list);
  }
  return { set, path: transport === 'raw' ? `${EMBED_PATH}?faces=largest` : EMBED_PATH };
}

function mediaType(bytes) {
  return bytes[0] === 0x89 ? 'image/png' : 'image/jpeg';
}

/**
 * Makes sure that what is compared does the same work: every picture gets the same embedding from both.
 *
 * @returns {least, count}: the least cosine. @throws {Error} when an answer differs.
 */
export async function compareAnswers(context, addresses, { sizes, quick }) {
  let least = 1;
  let count = 0;
  for (const size of sizes) {
    for (const kind of quick ? ['photographs'] : ['photographs', 'portraits', 'png']) {
      if (context.album[size][kind].some((bytes) => bytes.length > LARGEST_PICTURE)) continue;
      const { set, path } = await requestSet(context, { size, kind, transport: 'json' });
      for (const request of context.generator.requestsOf(set)) {
        const [ours, theirs] = await Promise.all(
          addresses.map((address) => embeddingOf(address, path, request)),
        );
        least = Math.min(least, cosine(ours, theirs));
        count++;
      }
    }
  }
  if (!(least >= SAME_ANSWER))
    throw new Error(`The service and its peer answer differently: a cosine of ${least}.`);
  return { least, count };
}

/** The service's default for MAX_IMAGE_SIZE. */
export const LARGEST_PICTURE = 10 * 1024 * 1024;

/** How many embeddings `detection=fast` changes on the pictures that it is measured with. */
export async function compareFastAnswers(context, address, sizes) {
  let changed = 0;
  let count = 0;
  for (const size of sizes) {
    const full = await requestSet(context, { size, kind: 'portraits', transport: 'json' });
    const fast = await requestSet(context, { size, kind: 'portraits', transport: 'fast' });
    const pairs = context.generator
      .requestsOf(full.set)
      .map((request, i) => [request, context.generator.requestsOf(fast.set)[i]]);
    for (const pair of pairs) {
      const [a, b] = await Promise.all(pair.map((request) => embeddingOf(address, full.path, request)));
      count++;
      if (cosine(a, b) < UNCHANGED) changed++;
    }
  }
  return { changed, count };
}

async function embeddingOf(address, path, request) {
  const { status, code, text } = await post(address, path, request, { keepText: true });
  if (status !== 200) throw new Error(`A picture of the benchmark was refused: ${status} ${code}.`);
  return JSON.parse(text).embedding;
}
