import type { TransferListItem } from 'node:worker_threads';
import { rankReferences } from '../similarity/compare.ts';
import { parseCompareRequest } from './compare-request.ts';
import { type EmbedLimits, type EmbedRequest, parseEmbedRequest } from './embed-request.ts';

/** Work on JSON bodies that takes longer the larger they are. It runs on whichever thread calls it. */
export type JsonJob =
  | { kind: 'compare'; body: Uint8Array<ArrayBuffer>; maxReferences: number }
  | { kind: 'embed'; body: Uint8Array<ArrayBuffer>; limits: EmbedLimits };

export interface JsonResults {
  /** The answer as JSON text in UTF-8, and the milliseconds its making took. */
  compare: { answer: Uint8Array<ArrayBuffer>; ms: number };
  embed: EmbedRequest;
}

export type JsonResult = JsonResults[JsonJob['kind']];

/**
 * @returns the result, and which of its buffers may be moved to another thread.
 * @throws {ServiceError} what the body gives reason for.
 */
export function runJsonJob(job: JsonJob): { result: JsonResult; transfer: TransferListItem[] } {
  if (job.kind === 'embed') {
    const result = parseEmbedRequest(job.body, job.limits);
    // Each image was decoded into a buffer of its own.
    const buffers = result.images.flatMap((image) => (image instanceof Uint8Array ? [image.buffer] : []));
    return { result, transfer: buffers };
  }
  const started = performance.now();
  const ranking = rankReferences(parseCompareRequest(job.body, job.maxReferences));
  const answer = new TextEncoder().encode(JSON.stringify(ranking));
  return { result: { answer, ms: performance.now() - started }, transfer: [answer.buffer] };
}
