/** The engine's load. Counts are images, unless they say workers. */
export interface EngineLoad {
  /** Places taken, including those of images whose bytes are still arriving. */
  admitted: number;
  /** All places. */
  capacity: number;
  /** Being processed by workers. */
  processing: number;
  queued: number;
  /** Worker threads: configured, loaded, processing an image, lost and replaced so far, and lost ones that still hang. */
  workers: number;
  alive: number;
  busy: number;
  restarted: number;
  hung: number;
}
