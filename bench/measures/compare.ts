import { repeatableNoise } from '../repeatable-noise.ts';
import { startService } from '../servers/service.ts';
import { summarise } from '../statistics.ts';
import { watchMainThread } from './health.ts';

const COUNTS = [1, 100, 1_000, 10_000];
const DIMENSIONS = 512;
const JSON_HEADERS = { 'Content-Type': 'application/json' };
/** 10,000 references as numbers are about 70 MB, more than the default allows. */
const SETTINGS = { MAX_REQUEST_SIZE: String(160 * 1024 * 1024) };

const asBase64 = (vector) => bytesOf(vector).toString('base64');
const asNumbers = (vector) => Array.from(vector, (value) => Number(value.toPrecision(9)));
const asList = (write) => (ids, vectors) => ids.map((id, i) => ({ id, embedding: write(vectors[i]) }));

/** How references are written: a list of base64, of numbers of nine digits, as the service itself writes them, or a block. */
const FORMATS = {
  base64: asList(asBase64),
  numbers: asList(asNumbers),
  block: (ids, vectors) => ({ ids, embeddings: Buffer.concat(vectors.map(bytesOf)).toString('base64') }),
};
const MANY = { queries: 100, references: 5_000 };

/** Compare, one request at a time, on a service of its own: the first request and those after it. */
export async function measureCompare({ generator, log }, options) {
  const service = await startService(options, SETTINGS);
  const { address } = service;
  const rows = [];
  try {
    const measure = async (count, format, body, what = count) => {
      log(`compare: ${what} references as ${format}`);
      const set = `compare ${what} ${format}`;
      await generator.prepare(set, [{ headers: JSON_HEADERS, body }]);
      const repeats = options.quick ? 3 : count >= 1_000 ? 6 : 30;
      const load = { address, path: '/v1/compare', set, connections: 1, seconds: 20, maxRequests: repeats };
      const watched = await watchMainThread(address, () => generator.closedLoop(load));
      const { ms, failures } = watched.result;
      const [first, ...later] = ms;
      const { health, eventLoopDelay } = watched;
      rows.push({ count, format, first, later: summarise(later), failures, health, eventLoopDelay });
    };
    for (const count of COUNTS) {
      for (const [format, write] of Object.entries(FORMATS)) {
        await measure(count, format, compareBody(count, write));
      }
    }
    const { queries, references } = MANY;
    const format = `block, ${queries} queries`;
    await measure(references, format, manyBody(queries, references), `${queries} ×`);
  } finally {
    await service.stop();
  }
  return rows;
}

function compareBody(count, write) {
  const [query, ...vectors] = makeVectors(count + 1);
  const reference_embeddings = write(makeIds(count), vectors);
  return Buffer.from(JSON.stringify({ query_embedding: asBase64(query), reference_embeddings, top_k: 10 }));
}

function manyBody(queries, references) {
  const vectors = makeVectors(queries + references);
  const query_embeddings = FORMATS.block(makeIds(queries), vectors.slice(0, queries));
  const reference_embeddings = FORMATS.block(makeIds(references), vectors.slice(queries));
  return Buffer.from(JSON.stringify({ query_embeddings, reference_embeddings, top_k: 10 }));
}

function makeVectors(count) {
  const random = repeatableNoise(count);
  return Array.from({ length: count }, () =>
    unit(Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5)),
  );
}

function makeIds(count) {
  return Array.from({ length: count }, (_, i) => `user_${i}`);
}

function bytesOf(vector) {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

function unit(vector) {
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}
