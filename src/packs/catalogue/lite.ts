import { DETECTOR_PREPROCESSING, LANDMARKS_PREPROCESSING, STANDARD_RECOGNISER } from '../pack.ts';
import type { CataloguePack, NpmSource } from './published-pack.ts';

/** For the demonstration on a machine that reaches the npm registry and nothing else. */
export const LITE_PACK_NAME = 'lite';

/** The version's document in the registry states the integrity and the licence. */
const PACKAGE: Omit<NpmSource, 'paths'> = {
  kind: 'npm',
  package: 'faceplugin-face-recognition-js',
  version: '0.0.1',
  integrity:
    'sha512-shriXjd4zJHEwhK1jHK+bWo8Vv6Vu9B/w6RRsd4AFtNM/jaI2vhuOamOSMl9qQmLd8WlQ7dgqN+3C2iOi5pXWw==',
  bytes: 41_114_878,
};

/**
 * Three networks of a package in the npm registry, so that a machine that can run `npm ci` can embed faces. Source of the
 * preprocessing: lib/fr_detect.js, lib/fr_landmark.js and lib/fr_feature.js of the package.
 */
export const LITE_PACK: CataloguePack = {
  name: LITE_PACK_NAME,
  licence: `MIT as published (${PACKAGE.package} ${PACKAGE.version} by Faceplugin, npm registry).`,
  trainingData: 'Not disclosed.',
  commercialUse: 'disputed',
  // The RFB-320 of Ultra-Light-Fast-Generic-Face-Detector (github.com/Linzaer), which finds boxes only.
  detector: {
    name: 'fr_detect.onnx',
    bytes: 1_217_758,
    sha256: '6c0256ccd3164f844736a401faf936ec2930764a87ae39442180887d0c5c8854',
    family: 'rfb',
    preprocessing: DETECTOR_PREPROCESSING.rfb,
    landmarks: {
      name: 'fr_landmark.onnx',
      bytes: 1_163_742,
      sha256: 'f10b0ba1d2a8a099adefede1ebf3733e44fe370715e7303dbeb7f59c02142258',
      preprocessing: LANDMARKS_PREPROCESSING,
    },
  },
  recogniser: {
    name: 'fr_feature.onnx',
    bytes: 4_884_269,
    sha256: '87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581',
    ...STANDARD_RECOGNISER,
    preprocessing: { mean: 127, std: 128 },
    embeddingSize: 512,
  },
  // Measured as those of catalogue/insightface.ts.
  memory: { first: 225, further: 30 },
  sources: [
    {
      ...PACKAGE,
      paths: {
        'fr_detect.onnx': 'model/fr_detect.onnx',
        'fr_landmark.onnx': 'model/fr_landmark.onnx',
        'fr_feature.onnx': 'model/fr_feature.onnx',
      },
    },
  ],
  tested: 'with these weights',
};
