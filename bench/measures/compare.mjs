import { repeatableNoise } from '../repeatable-noise.mjs';
import { startService } from '../servers/service.mjs';
import { summarise } from '../statistics.mjs';
import { watchMainThread } from './health.mjs';

const COUNTS = [1, 100, 1_000, 10_000];
const DIMENSIONS = 512;
const JSON_HEADERS = { 'Content-Type': 'application/json' };
/** 10,000 references as numbers are about 70 MB, more than the default allows. */
const SETTINGS = { MAX_REQUEST_SIZE: String(160 * 1024 * 1024) };

/** How an embedding is written: as base64, or as numbers of nine digits, as the service itself writes them. */
const FORMATS = {
  base64: (vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64'),
  numbers: (vector) => Array.from(vector, (value) => Number(value.toPrecision(9))),
};

/** Compare, one request at a time, on a service of its own: the first request and those after it. */
export async function measureCompare({ generator, log }, options) {
  const service = await startService(options, SETTINGS);
  const { address } = service;
  const rows = [];
  try {
    for (const count of COUNTS) {
      for (const [format, write] of Object.entries(FORMATS)) {
        log(`compare: ${count} references as ${format}`);
        const set = `compare ${count} ${format}`;
        await generator.prepare(set, [{ headers: JSON_HEADERS, body: compareBody(count, write) }]);
        const repeats = options.quick ? 3 : count >= 1_000 ? 6 : 30;
        const load = { address, path: '/v1/compare', set, connections: 1, seconds: 20, maxRequests: repeats };
        const watched = await watchMainThread(address, () => generator.closedLoop(load));
        const { ms, failures } = watched.result;
        const [first, ...later] = ms;
        const { health, eventLoopDelay } = watched;
        rows.push({ count, format, first, later: summarise(later), failures, health, eventLoopDelay });
      }
    }
  } finally {
    await service.stop();
  }
  return rows;
}

function compareBody(count, write) {
  const random = repeatableNoise(count);
  const vector = () => write(unit(Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5)));
  const references = Array.from({ length: count }, (_, i) => ({ id: `user_${i}`, embedding: vector() }));
  return Buffer.from(
    JSON.stringify({ query_embedding: vector(), reference_embeddings: references, top_k: 10 }),
  );
}

function unit(vector) {
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}
