import { protectedSpace, splitSpace } from '../../packs/protected-space.ts';
import type { EmbeddingKey } from '../../protection/embedding-key.ts';
import { ACCEPTED_SIZES, isProtectable, ProtectingTransform } from '../../protection/transform.ts';
import { decodeFloats, type EncodedEmbedding, encodeEmbedding } from '../../similarity/embedding.ts';
import { type Line, readLines } from './lines.ts';
import { findMembers, type ValueSpan } from './members.ts';
import type { RekeyOptions } from './options.ts';
import { RekeyError } from './rekey-error.ts';

/** What a line must have. */
interface Stored {
  embedding: EncodedEmbedding;
  embedding_space: string;
}

/**
 * Rekeys embeddings line by line.
 *
 * @param input NDJSON.
 * @param progress counts the lines as they leave.
 * @returns the same lines with other embeddings and embedding spaces.
 * @throws {RekeyError} naming the first line that cannot be rekeyed.
 */
export async function* rekeyLines(
  input: AsyncIterable<Uint8Array>,
  options: RekeyOptions,
  progress: { lines: number },
): AsyncGenerator<string> {
  const from = new Transforms(options.from);
  const to = new Transforms(options.to);
  for await (const line of readLines(input)) {
    yield `${rekeyLine(line, from, to)}\n`;
    progress.lines++;
  }
}

/** The transforms of a key by the numbers of an embedding; without a key, embeddings stay as they are. */
class Transforms {
  readonly key: EmbeddingKey | undefined;
  readonly #bySize = new Map<number, ProtectingTransform>();

  constructor(key: EmbeddingKey | undefined) {
    this.key = key;
  }

  protect(plain: ArrayLike<number>): Float32Array {
    return this.#of(plain.length)?.protect(plain) ?? Float32Array.from(plain);
  }

  reveal(embedding: ArrayLike<number>): ArrayLike<number> {
    return this.#of(embedding.length)?.reveal(embedding) ?? embedding;
  }

  #of(size: number): ProtectingTransform | undefined {
    if (this.key === undefined) return undefined;
    let transform = this.#bySize.get(size);
    if (transform === undefined) {
      transform = new ProtectingTransform(this.key, size);
      this.#bySize.set(size, transform);
    }
    return transform;
  }
}

function rekeyLine({ number, text }: Line, from: Transforms, to: Transforms): string {
  const fail = (problem: string) => new RekeyError(`Line ${number}: ${problem}.`);
  const stored = parse(text);
  if (stored === undefined) throw fail('it is not a JSON object');
  const members = findMembers(text);
  for (const name of ['embedding', 'embedding_space'] as const) {
    if (stored[name] === undefined) throw fail(`it has no ${name}`);
    if (members.get(name) === undefined) throw fail(`it has ${name} twice`);
  }
  if (typeof stored.embedding_space !== 'string') throw fail('its embedding_space is not a string');
  const { plainSpace, keyName } = splitSpace(stored.embedding_space);
  if (keyName !== from.key?.name) throw fail('its embedding_space is not of the key that --from names');
  const numbers = readNumbers(stored.embedding);
  if (numbers === undefined) throw fail('its embedding is neither finite numbers nor base64 of float32');
  if (!isProtectable(numbers.length)) {
    throw fail(`its embedding has ${numbers.length} numbers; accepted are ${ACCEPTED_SIZES}`);
  }
  const rekeyedNumbers = to.protect(from.reveal(numbers));
  // JSON would say null for them.
  if (!rekeyedNumbers.every(Number.isFinite)) throw fail('its embedding has numbers too large for float32');
  const format = typeof stored.embedding === 'string' ? 'base64' : 'float';
  const rekeyed: Stored = {
    embedding: encodeEmbedding(rekeyedNumbers, format),
    embedding_space: to.key ? protectedSpace(plainSpace, to.key.name) : plainSpace,
  };
  return replace(text, [
    [members.get('embedding') as ValueSpan, JSON.stringify(rekeyed.embedding)],
    [members.get('embedding_space') as ValueSpan, JSON.stringify(rekeyed.embedding_space)],
  ]);
}

/** Undefined for anything but an object. */
function parse(text: string): Partial<Record<keyof Stored, unknown>> | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined for anything but finite numbers and base64 of them. */
function readNumbers(embedding: unknown): ArrayLike<number> | undefined {
  const numbers = typeof embedding === 'string' ? readBase64(embedding) : embedding;
  if (!(Array.isArray(numbers) || numbers instanceof Float32Array)) return undefined;
  return numbers.every((value: unknown) => Number.isFinite(value)) ? numbers : undefined;
}

function readBase64(text: string): Float32Array | undefined {
  try {
    return decodeFloats(text, 'embedding');
  } catch {
    return undefined;
  }
}

/** Replaces parts of the text that do not overlap. */
function replace(text: string, parts: [ValueSpan, string][]): string {
  let replaced = text;
  // From the end, so that the spans before stay right.
  for (const [{ start, end }, value] of parts.sort(([a], [b]) => b.start - a.start)) {
    replaced = replaced.slice(0, start) + value + replaced.slice(end);
  }
  return replaced;
}
