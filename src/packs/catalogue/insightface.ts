import { STANDARD_DETECTOR, STANDARD_RECOGNISER } from '../pack.ts';
import type {
  CataloguePack,
  MemoryNeed,
  PublishedDetector,
  PublishedFile,
  PublishedRecogniser,
} from './published-pack.ts';

/** Source: deepinsight/insightface, README.md ("License") and python-package/README.md. */
const LICENCE =
  'Weights by InsightFace (github.com/deepinsight/insightface), for non-commercial research purposes only.';

/** Source: deepinsight/insightface, detection/scrfd/README.md and model_zoo/README.md; web-face.org. */
const TRAINING_DATA = {
  webFace:
    'Detector: WIDER FACE. Recogniser: WebFace600K, a part of WebFace260M, which is for research only.',
  glint: 'Detector: WIDER FACE. Recogniser: Glint360K, which is for research only.',
};

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

/** The packs that InsightFace publishes, each with the two files that this service needs. */
export const INSIGHTFACE_PACKS: readonly CataloguePack[] = [
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
];

/** Source of the URLs: insightface, python-package/insightface/utils/storage.py. */
function insightFacePack(
  name: string,
  archiveBytes: number,
  detector: PublishedFile,
  recogniser: PublishedFile,
  memory: MemoryNeed,
): CataloguePack {
  return {
    name,
    licence: LICENCE,
    trainingData: recogniser === ARCFACE_R100 ? TRAINING_DATA.glint : TRAINING_DATA.webFace,
    commercialUse: 'excluded',
    detector: scrfd(detector),
    recogniser: arcFace(recogniser),
    memory,
    sources: RELEASE_TAGS.map((tag) => ({
      kind: 'archive',
      url: `https://github.com/deepinsight/insightface/releases/download/${tag}/${name}.zip`,
      bytes: archiveBytes,
    })),
    tested: 'with networks of the same form',
  };
}

/** A detector with SCRFD's outputs and preprocessing. */
export function scrfd(file: PublishedFile): PublishedDetector {
  return { ...file, ...STANDARD_DETECTOR };
}

/** A recogniser with ArcFace's preprocessing and 512 numbers. */
export function arcFace(file: PublishedFile): PublishedRecogniser {
  return { ...file, ...STANDARD_RECOGNISER, embeddingSize: 512 };
}
