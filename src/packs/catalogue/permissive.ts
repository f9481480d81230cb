import { DETECTOR_PREPROCESSING, NO_PREPROCESSING, STANDARD_RECOGNISER } from '../pack.ts';
import { combinedProvenance, type Provenance } from '../provenance.ts';
import { arcFace } from './insightface.ts';
import type { CataloguePack, FilesSource, PublishedDetector, PublishedRecogniser } from './published-pack.ts';

/*
 * Permissively licensed packs, whose training data has terms of its own.
 * Sizes and hashes are those of the Git LFS pointers in their publishers' repositories.
 */

/** The commit of github.com/opencv/opencv_zoo, and of its copies at Hugging Face. */
const OPENCV_ZOO = 'https://github.com/opencv/opencv_zoo/raw/47534e27c9851bb1128ccc0102f1145e27f23f98/models';
const OPENCV_HUB = 'https://huggingface.co/opencv';

/** Source of the licence and of the fixed input: opencv_zoo, models/face_detection_yunet/README.md and LICENSE. */
const YUNET: PublishedDetector = {
  name: 'face_detection_yunet_2023mar.onnx',
  bytes: 232_589,
  sha256: '8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4',
  family: 'yunet',
  preprocessing: DETECTOR_PREPROCESSING.yunet,
  inputSize: 640,
};

const YUNET_URLS = [
  `${OPENCV_ZOO}/face_detection_yunet/${YUNET.name}`,
  `${OPENCV_HUB}/face_detection_yunet/resolve/3cc26e7f1014a5ee5d74a42acee58bafc9d0a310/${YUNET.name}`,
];

/** Source of the training data: github.com/ShiqiYu/libfacedetection.train, README.md. */
const YUNET_PROVENANCE: Provenance = {
  licence: 'MIT (YuNet by Shiqi Yu, OpenCV Zoo).',
  trainingData: 'WIDER FACE, which is published for non-commercial research.',
  commercialUse: 'disputed',
};

/**
 * Source of the preprocessing: opencv, modules/objdetect/src/face_recognize.cpp, where `feature` makes a blob of 112×112 with
 * scale 1 and mean 0 and swaps blue and red of an image in OpenCV's order, and `alignCrop` has ArcFace's five points.
 */
const SFACE: PublishedRecogniser = {
  name: 'face_recognition_sface_2021dec.onnx',
  bytes: 38_696_353,
  sha256: '0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79',
  ...STANDARD_RECOGNISER,
  preprocessing: NO_PREPROCESSING,
  embeddingSize: 128,
};

/** Source of the training data: github.com/zhongyy/SFace, README.md and SFace_torch/README.md. */
const SFACE_PROVENANCE: Provenance = {
  licence: 'Apache-2.0 (SFace by Yaoyao Zhong, OpenCV Zoo).',
  trainingData:
    'Not stated for this file; its authors train with CASIA-WebFace, VGGFace2 and MS1MV2, which are for research only or were withdrawn.',
  commercialUse: 'disputed',
};

const AURAFACE: PublishedRecogniser = arcFace({
  name: 'glintr100.onnx',
  bytes: 260_694_151,
  sha256: 'a7933ea5330113b01c9b60351d8f4c33003f145d8470ac5f0e52ee2effe25c60',
});

/** Source: huggingface.co/fal/AuraFace-v1, README.md and LICENSE.md. The detector in that repository is InsightFace's. */
const AURAFACE_PROVENANCE: Provenance = {
  licence: 'Apache-2.0 (AuraFace v1 by fal).',
  trainingData:
    'According to its publisher "commercially and publicly available data sources", chosen for commercial use and not disclosed.',
  commercialUse: 'allowed',
};

const PINNED = 'pinned, not run by our tests';

/** The memory of both is estimated by the sizes of their weights, beside packs that were measured. */
export const PERMISSIVE_PACKS: readonly CataloguePack[] = [
  {
    name: 'opencv',
    ...combinedProvenance(YUNET_PROVENANCE, SFACE_PROVENANCE),
    detector: YUNET,
    recogniser: SFACE,
    memory: { first: 250, further: 55 },
    sources: [
      filesSource({
        [YUNET.name]: YUNET_URLS,
        [SFACE.name]: [
          `${OPENCV_ZOO}/face_recognition_sface/${SFACE.name}`,
          `${OPENCV_HUB}/face_recognition_sface/resolve/3d7082438a6e4551e840c9b2bb60b71e8da4b524/${SFACE.name}`,
        ],
      }),
    ],
    tested: PINNED,
  },
  {
    name: 'auraface',
    ...combinedProvenance(YUNET_PROVENANCE, AURAFACE_PROVENANCE),
    detector: YUNET,
    recogniser: AURAFACE,
    memory: { first: 495, further: 80 },
    sources: [
      filesSource({
        [YUNET.name]: YUNET_URLS,
        // The second is a copy by another project, which the hash proves to be one.
        [AURAFACE.name]: [
          `https://huggingface.co/fal/AuraFace-v1/resolve/af6d057c9b0ec4071d4c49c80e3539258798b609/${AURAFACE.name}`,
          `https://github.com/archledger/irlume/releases/download/models-v1/${AURAFACE.name}`,
        ],
      }),
    ],
    tested: PINNED,
  },
];

function filesSource(urls: FilesSource['urls']): FilesSource {
  return { kind: 'files', urls };
}
