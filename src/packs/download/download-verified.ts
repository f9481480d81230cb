import { PackInvalidError } from '../pack-errors.ts';
import { downloadResumably, type ResumableDownload } from './resumable-download.ts';

/**
 * Downloads from one source until `verify` accepts what was received. What it refuses is deleted, and received once more if it
 * came in several responses, which may not belong together, after a power failure for instance.
 *
 * @param verify throws a PackInvalidError for content that is wrong. It may install the content.
 * @throws {SourceError} when the source failed; received bytes are kept for the next attempt.
 * @throws {PackInvalidError} when the source has other content.
 */
export async function downloadVerified(
  download: ResumableDownload,
  verify: () => Promise<void>,
): Promise<void> {
  for (;;) {
    const { pieced } = await downloadResumably(download);
    try {
      await verify();
      return;
    } catch (error) {
      // The download is complete: the next start uses it, or the process that took over the lock.
      download.signal?.throwIfAborted();
      await download.partial.discard();
      if (!(error instanceof PackInvalidError) || !pieced) throw error;
    }
  }
}
