import { totalmem } from 'node:os';

/** Bytes of memory that this process may use: the machine's, or less where a container or a control group has a limit. */
export function availableMemory(): number {
  // Without a limit, Node gives 0 or a number beyond any machine's memory.
  return Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}
