import { ServiceError } from '../errors.ts';
import { rankEach } from '../similarity/compare.ts';
import type { EmbeddingReader, UnitVectors } from '../similarity/embedding-set.ts';
import type { FarScale } from '../similarity/far-evidence.ts';
import { collectGarbage } from '../threads/garbage.ts';
import type { CompareOptions } from './compare-request.ts';

/** What is compared, when all embeddings are known. */
export interface Comparison {
  /** Undefined for a single query. */
  queryIds: readonly string[] | undefined;
  queries: UnitVectors;
  references: EmbeddingReader;
  options: CompareOptions;
  /** The rates of its matches, if they are known. */
  scale: FarScale | undefined;
}

/** What an answer says about pictures: JSON objects. */
export interface PictureNotes {
  /** The face of the query. */
  query?: object | undefined;
  /** The faces of references, by their index. */
  references: ReadonlyMap<number, object>;
  /** The model that embedded them. */
  model: object;
}

/**
 * Ranks, and writes the answer as JSON text in UTF-8.
 *
 * @param maxBytes of an answer to several queries, which repeats the ids for each. The answer to a single query is never much
 *   larger than its request.
 * @throws {ServiceError} INVALID_EMBEDDING, naming the reference; REQUEST_TOO_LARGE.
 */
export function answerComparison(
  { queryIds, queries, references, options, scale }: Comparison,
  maxBytes: number,
  notes?: PictureNotes,
): Uint8Array<ArrayBuffer> {
  const faceOf = notes && ((reference: number) => withFace(notes.references.get(reference)));
  const rankings = rankEach(queries, references, { ...options, scale }, faceOf);
  const { distance_metric, threshold, max_far, max_fpir } = options;
  const provisional = scale?.provisional || undefined;
  const common = { distance_metric, threshold, max_far, max_fpir, provisional, model: notes?.model };
  if (queryIds === undefined) {
    const [ranking] = rankings;
    return encode(textsOf({ query: notes?.query, ...ranking, ...common }));
  }
  const results: string[] = [];
  let bytes = 0;
  for (const ranking of rankings) {
    const text = JSON.stringify({ id: queryIds[results.length], ...ranking });
    results.push(results.length === 0 ? text : `,${text}`);
    bytes += Buffer.byteLength(text);
    if (bytes > maxBytes) {
      throw new ServiceError('REQUEST_TOO_LARGE', {
        detail: `The answer would have more than ${maxBytes} bytes; top_k asks for fewer matches.`,
      });
    }
  }
  return encode(['{"results":[', ...results, `],${JSON.stringify(common).slice(1)}`]);
}

function withFace(face: object | undefined): object | undefined {
  return face && { face };
}

/** Characters of a text above which collecting what V8 built it from is worth its time. */
const LARGE_TEXT = 8 << 20;

/** The JSON of an object, member by member: V8 takes three times the memory of a text to build it, such as that of a long id. */
function textsOf(object: object): string[] {
  const members = Object.entries(object).filter(([, value]) => value !== undefined);
  const texts = members.flatMap(([name, value], index) => {
    const text = JSON.stringify(value);
    if (text.length > LARGE_TEXT) {
      // Puts its parts together, of which the collector then frees what it was built from.
      Buffer.byteLength(text);
      collectGarbage();
    }
    return [`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`, text];
  });
  return [...texts, '}'];
}

/** UTF-8 of all pieces. Joined first, a long text would be in memory once more. */
function encode(pieces: readonly string[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + Buffer.byteLength(piece), 0));
  const encoder = new TextEncoder();
  let at = 0;
  for (const piece of pieces) at += encoder.encodeInto(piece, bytes.subarray(at)).written;
  return bytes;
}
