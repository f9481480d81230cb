import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ModelHeader, writeModel } from '../../src/onnx/writer.ts';
import { describeSyntheticPack, SYNTHETIC_LICENCE } from '../../tools/synthetic/pack.ts';
import { IRESNET_50, makeIresnet } from './iresnet.ts';
import { makeScrfd, SCRFD_10G } from './scrfd.ts';

/** As InsightFace exports. */
export const HEADER: ModelHeader = { irVersion: 6, opset: 11, producer: 'face-embedding-service' };
const SEED = 0x5eed_face;

/** The folder of the detector that `standin-m` borrows, in the folder of all packs. */
const BORROWED_DETECTOR = 'scrfd_2.5g';

interface StandIn {
  /** For the documents. */
  description: string;
  /** The name of the detector's file, and its bytes. @param models the folder of all packs. */
  detector: (models: string) => { file: string; bytes: Uint8Array<ArrayBuffer> };
  /** The text of the licence file. */
  licence: string;
}

/**
 * Packs that stand in for large ones, whose weights must not be distributed: the same networks with random weights, which take
 * the same time and memory.
 */
export const STAND_INS = {
  'standin-l': {
    description: 'for `buffalo_l`: SCRFD-10G and IResNet-50, both of random weights',
    detector: () => ({ file: 'det_10g.onnx', bytes: writeModel(HEADER, makeScrfd(SEED, SCRFD_10G)) }),
    licence: SYNTHETIC_LICENCE.text,
  },
  'standin-m': {
    description: 'for `buffalo_m`: SCRFD-2.5G with its weights, and IResNet-50 of random ones',
    detector: (models) => borrowDetector(join(models, BORROWED_DETECTOR)),
    licence:
      'Licence of the detector\n\nThe recogniser has random weights. The detector is a copy and has its own licence.\n',
  },
} as const satisfies Record<string, StandIn>;

export type StandInName = keyof typeof STAND_INS;

export function isStandIn(name: string): name is StandInName {
  return Object.hasOwn(STAND_INS, name);
}

/**
 * Writes a stand-in with a manifest that has its hashes: about 180 MB.
 *
 * @param models the folder of all packs, which has the detector of `standin-m`.
 * @param target the folder in which that of the pack is made.
 * @throws {Error} without that detector.
 */
export function writeStandIn(
  name: StandInName,
  { models, target }: { models: string; target: string },
): void {
  const { licence, ...standIn } = STAND_INS[name];
  const { file, bytes: detector } = standIn.detector(models);
  const recogniser = writeModel(HEADER, makeIresnet(SEED, IRESNET_50));
  const files = { detector: file, recogniser: 'w600k_r50.onnx' };
  const manifest = describeSyntheticPack({ detector, recogniser }, { name, files });
  const folder = join(target, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, files.detector), detector);
  writeFileSync(join(folder, files.recogniser), recogniser);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, SYNTHETIC_LICENCE.file), licence);
}

function borrowDetector(folder: string): { file: string; bytes: Uint8Array<ArrayBuffer> } {
  const [file, ...others] = listOnnxFiles(folder);
  if (file === undefined || others.length > 0)
    throw new Error(
      `standin-m needs an SCRFD-2.5G: one .onnx file in the folder ${BORROWED_DETECTOR} of --models.`,
    );
  return { file, bytes: new Uint8Array(readFileSync(join(folder, file))) };
}

function listOnnxFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.onnx'));
  } catch {
    return [];
  }
}
