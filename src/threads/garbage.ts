import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type CollectGarbage = (options?: { type: 'minor' | 'major' }) => void;

let collect: CollectGarbage | undefined;

/**
 * Collects the garbage of this thread at once; a minor collection looks at what is young alone and takes a fifth of a
 * millisecond here. V8 gives its own `gc` to a context made while the flag is set, which spares the process from being started
 * with it. The flag is that of all threads, and stays set: another thread may be between setting it and making its context.
 */
export function collectGarbage(type: 'minor' | 'major' = 'major'): void {
  collect ??= findCollector();
  collect({ type });
}

function findCollector(): CollectGarbage {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

/** Three times what survived a collection; V8's own choice is 8 MB more, as far as it grows slowly. */
const HEAP_GROWTH_PERCENT = 200;

/**
 * Lets heaps grow further before V8 marks them, in all threads from their next collection on. V8 counts the bytes outside
 * of its heap as growth: three pictures of 1280×960 were enough, and it marked a worker's heap up to four times a second.
 */
export function letHeapsGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
}

/** Few enough that they are still young, and enough that looking for them costs next to nothing. */
const DISCARDED_BYTES = 4 << 20;

let discarded = 0;

/**
 * Says that so many bytes outside of V8's heap, such as pixels or a body, are needed no longer, and has them collected
 * now and then. V8 would count bodies as if the heap had grown, and soon mark all of it, which takes the main thread 17 ms; of
 * pictures it knows too little, and each would be decoded into fresh memory, which is slower than that of the one before.
 */
export function discardBytes(bytes: number): void {
  discarded += bytes;
  if (discarded < DISCARDED_BYTES) return;
  discarded = 0;
  collectGarbage('minor');
}
