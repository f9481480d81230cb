import { megabytes } from '../../packs/download/report-download.ts';
import { type ModelFile, type ModelPack, networksOf } from '../../packs/pack.ts';
import type { Provenance } from '../../packs/provenance.ts';

/** Size of all networks of a pack. */
export function sizeOf(pack: ModelPack): string {
  return megabytes(networksOf(pack).reduce((sum, { bytes }) => sum + bytes, 0));
}

/** What was found of a pack, in a few words. */
export function stateOf(pack: ModelPack): string {
  if (pack.origin === 'synthetic') return 'part of this project';
  return networksOf(pack).every(({ pinned }) => pinned)
    ? 'installed, verified'
    : 'installed, hashes unpinned';
}

/** What is known of the weights, in sentences. */
export function provenanceLines({ licence, trainingData, commercialUse }: Provenance): string[] {
  return [licence, `Training data: ${trainingData}`, `Commercial use: ${commercialUse}`];
}

/** The networks of a pack with their hashes, a line each. */
export function fileLines(pack: ModelPack): string {
  const line = ({ path, sha256, pinned }: ModelFile) =>
    `${sha256}  ${path} (${pinned ? 'as expected' : 'unpinned'})\n`;
  return networksOf(pack).map(line).join('');
}
