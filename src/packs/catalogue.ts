/** A file of a published pack. */
export interface PublishedFile {
  /** File name inside the archive and inside the pack's folder. */
  name: string;
  bytes: number;
  /** Lower-case hex SHA-256. */
  sha256: string;
}

/** Memory of the process after ordinary photographs, in MiB: its share of mapped files (PSS), with prepared networks. */
export interface MemoryNeed {
  /** With one worker, and a second session of each network for lone requests. */
  first: number;
  /** Of each further worker. */
  further: number;
}

/** A published pack that this service can download and verify. */
export interface CataloguePack {
  name: string;
  /** The licence of the weights, as a sentence for operators. */
  licence: string;
  detector: PublishedFile;
  recogniser: PublishedFile;
  /** Size of the published archive, for progress. A mirror may repack it, because only the files are verified. */
  archiveBytes: number;
  memory: MemoryNeed;
  /** URLs of the archive, in the order in which they are tried. */
  sources: readonly string[];
}

export type Catalogue = ReadonlyMap<string, CataloguePack>;

/** Source: deepinsight/insightface, README.md ("License") and python-package/README.md. */
const INSIGHTFACE_LICENCE =
  'Weights by InsightFace (github.com/deepinsight/insightface), for non-commercial research purposes only.';

/** The release that InsightFace 2.x downloads from, then the one that versions up to 1.0 used. */
const RELEASE_TAGS = ['model-zoo', 'v0.7'] as const;

/** Sizes and hashes are those of the files in the published archives. `scrfd_10g_bnkps` is `det_10g` renamed. */
const SCRFD_10G = {
  bytes: 16_923_827,
  sha256: '5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91',
};
const SCRFD_2_5G = {
  name: 'det_2.5g.onnx',
  bytes: 3_292_009,
  sha256: '041f73f47371333d1d17a6fee6c8ab4e6aecabefe398ff32cca4e2d5eaee0af9',
};
const SCRFD_500M = {
  name: 'det_500m.onnx',
  bytes: 2_524_817,
  sha256: '5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a',
};
const ARCFACE_R50 = {
  name: 'w600k_r50.onnx',
  bytes: 174_383_860,
  sha256: '4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43',
};
const ARCFACE_MBF = {
  name: 'w600k_mbf.onnx',
  bytes: 13_616_099,
  sha256: '9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f',
};
const ARCFACE_R100 = {
  name: 'glintr100.onnx',
  bytes: 260_665_334,
  sha256: '4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf',
};

/*
 * Measured with two and more workers on stand-ins of the same networks with random weights, or for the small pack on its
 * own weights, on Linux with `MALLOC_ARENA_MAX=2`; test/system/memory-need.test.ts holds them to it. That of the R100 is
 * an estimate: the weights are 83 MiB more.
 */
const SMALL: MemoryNeed = { first: 225, further: 40 };
const MEDIUM: MemoryNeed = { first: 410, further: 72 };
const LARGE: MemoryNeed = { first: 490, further: 110 };
const LARGEST: MemoryNeed = { first: 575, further: 115 };

/**
 * The packs that InsightFace publishes, each with the two files that this service needs.
 *
 * To add a pack:
 * 1. Make sure that its detector has SCRFD's outputs (src/onnx/scrfd-outputs.ts) and its recogniser takes ArcFace's
 *    aligned face, both with the standard preprocessing of pack.ts. A pack that needs another one has to come with a
 *    manifest.json of version 2 (manifest.ts) instead; it then needs no entry here.
 * 2. Download the archive from its publisher. The two .onnx files must be at its top or in a folder named like the pack.
 *    `stat -c %s` and `sha256sum` of the archive and of both files give the numbers of the entry.
 * 3. Add the entry below. For another publisher, write a function like {@link insightFacePack} with its licence and its
 *    URLs, which must be permanent. The name becomes a value of MODEL_NAME and a part of the embedding space, so it can
 *    never be given to other weights.
 * 4. Run `npm run models -- install <name>` and `verify <name>`, then `npm run generate` for the documents that list the
 *    catalogue. Add the quality weights of a recogniser whose embedding norms were measured
 *    (src/vision/quality/quality-score.ts).
 */
export const CATALOGUE: Catalogue = new Map(
  [
    insightFacePack('buffalo_l', 288_621_354, { name: 'det_10g.onnx', ...SCRFD_10G }, ARCFACE_R50, LARGE),
    insightFacePack('buffalo_m', 275_951_529, SCRFD_2_5G, ARCFACE_R50, MEDIUM),
    insightFacePack('buffalo_s', 127_607_557, SCRFD_500M, ARCFACE_MBF, SMALL),
    insightFacePack('buffalo_sc', 14_969_382, SCRFD_500M, ARCFACE_MBF, SMALL),
    insightFacePack(
      'antelopev2',
      360_662_982,
      { name: 'scrfd_10g_bnkps.onnx', ...SCRFD_10G },
      ARCFACE_R100,
      LARGEST,
    ),
  ].map((pack) => [pack.name, pack]),
);

/** Source of the URLs: insightface, python-package/insightface/utils/storage.py. */
function insightFacePack(
  name: string,
  archiveBytes: number,
  detector: PublishedFile,
  recogniser: PublishedFile,
  memory: MemoryNeed,
): CataloguePack {
  const sources = RELEASE_TAGS.map(
    (tag) => `https://github.com/deepinsight/insightface/releases/download/${tag}/${name}.zip`,
  );
  return { name, licence: INSIGHTFACE_LICENCE, detector, recogniser, archiveBytes, memory, sources };
}
