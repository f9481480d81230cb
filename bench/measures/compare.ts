import { seededRandom } from '../../src/cli/calibrate/statistics/seeded-random.ts';
import type { Failures } from '../load/closed-loop.ts';
import { type ServiceOptions, startService } from '../servers/service.ts';
import { type Summary, summarise } from '../statistics.ts';
import type { GeneratorContext } from './context.ts';
import { type Responsiveness, watchMainThread } from './health.ts';

const COUNTS = [1, 100, 1_000, 10_000];
const DIMENSIONS = 512;
const JSON_HEADERS = { 'Content-Type': 'application/json' };
/** 10,000 references as numbers are about 70 MB, more than the default allows. */
const SETTINGS = { MAX_REQUEST_SIZE: String(160 * 1024 * 1024) };
const MANY = { queries: 100, references: 5_000 };

const toBase64 = (vector: Float32Array) => bytesOf(vector).toString('base64');
const toNumbers = (vector: Float32Array) => Array.from(vector, (value) => Number(value.toPrecision(9)));

/** Writes the references of a request. */
type Format = (ids: string[], vectors: Float32Array[]) => unknown;
const listOf =
  (write: (vector: Float32Array) => unknown): Format =>
  (ids, vectors) =>
    vectors.map((vector, i) => ({ id: ids[i], embedding: write(vector) }));
const block: Format = (ids, vectors) => ({
  ids,
  embeddings: Buffer.concat(vectors.map(bytesOf)).toString('base64'),
});
/** Numbers have nine digits, as the service itself writes them. */
const FORMATS: Record<string, Format> = { base64: listOf(toBase64), numbers: listOf(toNumbers), block };

export interface CompareRow extends Responsiveness {
  /** Number of references. */
  count: number;
  format: string;
  /** Milliseconds of the first request. */
  first: number | undefined;
  /** Milliseconds of the other requests. */
  later: Summary | undefined;
  failures: Failures;
}

interface Workload {
  count: number;
  format: string;
  body: Buffer;
}

/** Measures compare, one request at a time, on a service of its own. */
export async function measureCompare(
  { generator, log }: GeneratorContext,
  options: ServiceOptions & { quick: boolean },
): Promise<CompareRow[]> {
  const service = await startService(options, SETTINGS);
  const { address } = service;
  const rows: CompareRow[] = [];
  try {
    for (const { count, format, body } of makeWorkloads()) {
      log(`compare: ${count} references as ${format}`);
      const set = `compare ${count} ${format}`;
      await generator.prepare(set, [{ headers: JSON_HEADERS, body }]);
      const maxRequests = options.quick ? 3 : count >= 1_000 ? 6 : 30;
      const load = { address, path: '/v1/compare', set, connections: 1, seconds: 20, maxRequests };
      const watched = await watchMainThread(address, () => generator.closedLoop(load));
      const { ms, failures } = watched.result;
      const [first, ...later] = ms;
      const { health, eventLoopDelay } = watched;
      rows.push({ count, format, first, later: summarise(later), failures, health, eventLoopDelay });
    }
  } finally {
    await service.stop();
  }
  return rows;
}

/** One body at a time: they take up to 70 MB. */
function* makeWorkloads(): Generator<Workload> {
  for (const count of COUNTS) {
    for (const [format, write] of Object.entries(FORMATS))
      yield { count, format, body: compareBody(count, write) };
  }
  const { queries, references } = MANY;
  yield { count: references, format: `block, ${queries} queries`, body: manyBody(queries, references) };
}

function compareBody(count: number, write: Format): Buffer {
  const [query, ...references] = makeVectors(count + 1);
  const query_embedding = toBase64(query as Float32Array);
  const reference_embeddings = write(makeIds(count), references);
  return Buffer.from(JSON.stringify({ query_embedding, reference_embeddings, top_k: 10 }));
}

function manyBody(queries: number, references: number): Buffer {
  const vectors = makeVectors(queries + references);
  const query_embeddings = block(makeIds(queries), vectors.slice(0, queries));
  const reference_embeddings = block(makeIds(references), vectors.slice(queries));
  return Buffer.from(JSON.stringify({ query_embeddings, reference_embeddings, top_k: 10 }));
}

function makeVectors(count: number): Float32Array[] {
  const random = seededRandom(count);
  return Array.from({ length: count }, () =>
    normalise(Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5)),
  );
}

function makeIds(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `user_${i}`);
}

function bytesOf(vector: Float32Array): Buffer {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
}

function normalise(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}
