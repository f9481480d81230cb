import type { ImageOutcome } from '../engine/embed-images.ts';
import { type RequestRecord, recordFailure, recordStages } from '../observability/request-record.ts';

/** Records the outcome of one image of a request. */
export function recordImage(record: RequestRecord, outcome: ImageOutcome): void {
  if ('error' in outcome) {
    recordFailure(record, outcome.error);
    record.images.push({ errorCode: outcome.error.code });
    return;
  }
  const { waited, timings, image, faces, refused, aligned } = outcome.answer;
  recordStages(record, { queue: waited, ...timings });
  record.images.push({ picture: image, faces: faces.length + refused.length + (aligned ? 1 : 0) });
}
