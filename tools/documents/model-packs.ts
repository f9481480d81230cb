import type { CataloguePack, PackSource } from '../../src/packs/catalogue/published-pack.ts';
import { downloadBytes, filesOf, installedBytes } from '../../src/packs/catalogue/published-pack.ts';
import { CATALOGUE } from '../../src/packs/catalogue.ts';
import { megabytes } from '../../src/packs/download/report-download.ts';
import { table } from '../markdown.ts';

/** The section `packs` of `docs/MODELS.md`: the packs that the service can download. */
export function renderModelPacks(): string {
  return table(
    ['`MODEL_NAME`', 'files', 'numbers', 'on disk', 'download', 'memory, MiB'],
    [...CATALOGUE.values()].map((pack) => [
      nameOf(pack),
      filesOf(pack)
        .map(({ name }) => `\`${name}\``)
        .join(', '),
      pack.recogniser.embeddingSize,
      megabytes(installedBytes(pack)),
      `${megabytes(downloadBytes(pack))}, ${ORIGINS[pack.sources[0]?.kind ?? 'archive']}`,
      `${pack.memory.first} + ${pack.memory.further}`,
    ]),
  );
}

const ORIGINS: Record<PackSource['kind'], string> = {
  archive: 'an archive',
  files: 'single files',
  npm: 'the npm registry',
};

/** The section `licences` of the same document: what is known of the weights of each pack. */
export function renderPackLicences(): string {
  return table(
    ['`MODEL_NAME`', 'commercial use', 'licence of the weights', 'training data', 'run by the tests'],
    [...CATALOGUE.values()].map((pack) => [
      nameOf(pack),
      pack.commercialUse,
      pack.licence,
      pack.trainingData,
      pack.tested,
    ]),
  );
}

/** The section `packs` of `README.md`. */
export function renderPackSummary(): string {
  return table(
    ['`MODEL_NAME`', 'commercial use', 'licence of the weights', 'training data'],
    [...groups()].map(([summary, packs]) => [packs.map(nameOf).join(', '), ...JSON.parse(summary)]),
  );
}

/** Packs of which the same is known, in the order of the catalogue. */
function groups(): Map<string, CataloguePack[]> {
  const groups = new Map<string, CataloguePack[]>();
  for (const pack of CATALOGUE.values()) {
    const summary = JSON.stringify([pack.commercialUse, pack.licence, pack.trainingData]);
    groups.set(summary, [...(groups.get(summary) ?? []), pack]);
  }
  return groups;
}

const nameOf = ({ name }: CataloguePack) => `\`${name}\``;
