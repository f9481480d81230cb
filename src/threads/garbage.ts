import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type CollectGarbage = (options?: { type: 'minor' }) => void;

let collect: CollectGarbage | undefined;

/**
 * Collects this thread's garbage now. A minor collection covers the young generation only and takes 0.2 ms here.
 *
 * V8 defines `gc` in a context that is made while `--expose-gc` is set, so the process need not be started with the flag.
 * The flag is shared by all threads and stays set: another thread may be between setting it and making its context.
 */
export function collectGarbage(type: 'minor' | 'major' = 'major'): void {
  collect ??= findCollector();
  // With `{ type: 'major' }`, V8 keeps what an incremental marking under way has already marked: half of what it should free.
  if (type === 'minor') collect({ type });
  else collect();
}

function findCollector(): CollectGarbage {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

/** A heap may grow to three times what survived the last collection; V8's own choice is 8 MB more while growth is slow. */
const HEAP_GROWTH_PERCENT = 200;

/**
 * Lets heaps grow further before V8 marks them, in all threads from their next collection on. V8 counts bytes outside its
 * heap as growth: three decoded images of 1280×960 were enough, and it marked a worker's heap up to four times a second.
 */
export function raiseHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
}

/** Frees the memory of an array at once, which is empty afterwards; see `discardBytes` for what is left to the collector. */
export function freeBytes(bytes: Uint8Array<ArrayBuffer>): void {
  // The memory changes over to a new object, which is young and goes with the next minor collection.
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
}

/** Small enough that the garbage is still young, and large enough that collecting it costs next to nothing. */
const COLLECTED_BYTES = 4 << 20;

/** After so many bytes, an idle thread collects all its garbage: the young generation is a part of what was discarded. */
const COLLECTED_WHEN_IDLE = 64 << 20;
/** How long a thread discards nothing, in milliseconds, before it counts as idle. */
const IDLE_MS = 2_000;

let discarded = 0;
let discardedInAll = 0;
let idleTimer: NodeJS.Timeout | undefined;

/**
 * Counts bytes outside V8's heap (pixels, a request body) that have become garbage, and collects them every 4 MiB. Left to
 * itself, V8 takes request bodies for heap growth and soon marks the whole heap, 17 ms on the main thread; and it learns too
 * little about pixels, so that each image is decoded into fresh memory, which is slower than memory that was just used.
 */
export function discardBytes(bytes: number): void {
  discarded += bytes;
  if (discarded < COLLECTED_BYTES) return;
  discardedInAll += discarded;
  discarded = 0;
  collectGarbage('minor');
  if (discardedInAll < COLLECTED_WHEN_IDLE) return;
  idleTimer ??= setTimeout(collectWhenIdle, IDLE_MS).unref();
  idleTimer.refresh();
}

/** An idle thread allocates nothing that would make V8 collect what the last requests left: a gigabyte after large ones. */
function collectWhenIdle(): void {
  discardedInAll = 0;
  collectGarbage();
}
