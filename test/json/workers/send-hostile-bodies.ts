import { readFileSync } from 'node:fs';
import { JsonService } from '../../../src/json/service.ts';
import { ByteForwarder, type ForwardedBytes } from '../../../src/threads/forwarded-bytes.ts';
import { collectGarbage } from '../../../src/threads/garbage.ts';
import { silentLog } from '../../support/engine/engines.ts';

/*
 * A process of its own, so that its memory is that of JSON bodies only. It sends each body to a JsonService, and a small one right behind
 * it, and prints the codes of their errors, and the peak of its memory beyond what it took at first.
 */

/** A body: what it begins with, what it repeats, what it ends with. */
export type Body = [head: string, unit: string, tail: string];

export interface Task {
  kind: 'compare' | 'embed';
  bodies: Body[];
  /** Bytes of each body, a multiple of PIECE. */
  size: number;
}

export interface Report {
  /** For each body, its own and that of the small one; 'ok' without an error. */
  outcomes: [string, string][];
  /** In MiB. */
  peak: number;
}

const PIECE = 4 << 20;

const { kind, bodies, size } = JSON.parse(process.argv[2] as string) as Task;
const service = new JsonService({ maxQueue: 9, maxWait: 100_000, maxRun: 0, log: silentLog });
const limits = {
  ...{ references: 10_000, comparisons: 1_000_000, pictures: 9, imageBytes: size },
  ...{ MAX_IMAGE_SIZE: size, MAX_BATCH_SIZE: 9 },
};

async function outcomeOf(
  jobKind: 'compare' | 'embed',
  body: Uint8Array<ArrayBuffer> | ForwardedBytes,
): Promise<string> {
  try {
    if (jobKind === 'embed') await service.run({ kind: jobKind, body, limits });
    else await service.run({ kind: jobKind, body, limits, maxAnswerBytes: size });
    return 'ok';
  } catch (error) {
    return String((error as { code?: string }).code);
  }
}

/** In pieces, as the main thread sends it. What the unit leaves of a piece is white space. */
function send([head, unit, tail]: Body) {
  const forwarder = new ByteForwarder();
  forwarder.send(new Uint8Array(Buffer.from(head)));
  const bytes = Buffer.from(unit);
  const piece = Buffer.alloc(PIECE, ' ');
  piece.fill(bytes, 0, PIECE - (PIECE % bytes.length));
  for (let sent = 0; sent < size; sent += PIECE) forwarder.send(new Uint8Array(piece));
  forwarder.send(new Uint8Array(Buffer.from(tail)));
  return forwarder.bytes;
}

/** Too many bytes for the calling thread. */
function small(): Uint8Array<ArrayBuffer> {
  const body = { query_embedding: [1, 2], reference_embeddings: [{ id: 'a', embedding: [1, 2] }] };
  return new Uint8Array(Buffer.from(JSON.stringify(body).padEnd(100_000)));
}

function memory(name: 'VmRSS' | 'VmHWM'): number {
  const [, kib] = readFileSync('/proc/self/status', 'utf8').match(new RegExp(`${name}:\\s+(\\d+)`)) ?? [];
  return Math.round(Number(kib) / 1024);
}

await outcomeOf('compare', small());
const atStart = memory('VmRSS');
const outcomes: [string, string][] = [];
for (const body of bodies) {
  outcomes.push(await Promise.all([outcomeOf(kind, send(body)), outcomeOf('compare', small())]));
  // Answers are counted and freed by what sends them.
  collectGarbage();
  if (process.env.VERBOSE) console.error(memory('VmRSS') - atStart, memory('VmHWM') - atStart);
}
console.log(JSON.stringify({ outcomes, peak: memory('VmHWM') - atStart } satisfies Report));
await service.close();
