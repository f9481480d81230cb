import type { CataloguePack } from '../catalogue.ts';
import { PackInvalidError } from '../pack-errors.ts';
import { SourceError } from './source-error.ts';
import type { DownloadTuning } from './tuning.ts';

export interface DownloadEvents {
  /** A download from this source begins. */
  onSource?: (source: string) => void;
  onProgress?: (bytes: number, total: number | undefined) => void;
  /** A source failed. */
  onFailure?: (reason: string) => void;
  /** Another process, the holder of the lock, is installing the same pack. */
  onWait?: (holder: string) => void;
}

/** What the installation from a source of any kind needs. The caller has the pack's lock. */
export interface SourceContext {
  pack: CataloguePack;
  modelsDir: string;
  events: DownloadEvents;
  tuning: DownloadTuning;
  signal: AbortSignal;
  /** Called with a sentence for each source that failed. */
  onFailure: (reason: string) => void;
}

/**
 * Tries one source. Its failures, but no others, are reported, so that the next source is tried.
 *
 * @param source as shown to operators.
 * @returns whether the action succeeded.
 */
export async function trySource(
  { signal, events, onFailure }: SourceContext,
  source: string,
  action: () => Promise<void>,
): Promise<boolean> {
  events.onSource?.(source);
  try {
    await action();
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof SourceError || error instanceof PackInvalidError)) throw error;
    onFailure(error instanceof SourceError ? error.message : `${source}: ${error.message}`);
    return false;
  }
}
