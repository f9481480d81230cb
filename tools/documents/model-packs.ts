import { CATALOGUE } from '../../src/packs/catalogue.ts';
import { megabytes } from '../../src/packs/download/report-download.ts';
import { table } from '../markdown.ts';

/** The section `packs` of `docs/MODELS.md`: the packs that the service can download. */
export function renderModelPacks(): string {
  return table(
    ['`MODEL_NAME`', 'detector', 'recogniser', 'both, on disk', 'download', 'memory, MiB'],
    [...CATALOGUE.values()].map(({ name, detector, recogniser, archiveBytes, memory }) => [
      `\`${name}\``,
      `\`${detector.name}\``,
      `\`${recogniser.name}\``,
      megabytes(detector.bytes + recogniser.bytes),
      megabytes(archiveBytes),
      `${memory.first} + ${memory.further}`,
    ]),
  );
}
