import { createHash } from 'node:crypto';
import { type ValueInfo, writeModel } from '../../../src/onnx/writer.ts';
import { YUNET_OUTPUTS } from '../../../src/onnx/yunet-outputs.ts';
import { arcFace, scrfd } from '../../../src/packs/catalogue/insightface.ts';
import type { Catalogue, CataloguePack, PublishedFile } from '../../../src/packs/catalogue.ts';
import { zipOf } from './zip.ts';

/** A small published pack. Its files are not networks, but have names, sizes and hashes. */
export interface TinyPack {
  pack: CataloguePack;
  catalogue: Catalogue;
  /** The files of the installed pack by name. */
  files: Record<string, Buffer>;
  archive: Buffer;
}

export const TINY = 'tiny';

/** @param recogniserBytes a few megabytes where a download has to fill the buffers of a connection. */
export function tinyPack({ recogniserBytes = 60_000 } = {}): TinyPack {
  const files = {
    'det.onnx': bytesOf('detector', 20_000),
    'rec.onnx': bytesOf('recogniser', recogniserBytes),
  };
  const archive = zipOf({ 'genderage.onnx': bytesOf('not needed', 9_000), ...files });
  const pack: CataloguePack = {
    name: TINY,
    licence: 'For tests only.',
    trainingData: 'Pseudorandom bytes.',
    commercialUse: 'disputed',
    detector: scrfd(published('det.onnx', files['det.onnx'])),
    recogniser: arcFace(published('rec.onnx', files['rec.onnx'])),
    memory: { first: 1, further: 1 },
    sources: [{ kind: 'archive', url: 'http://127.0.0.1:1/tiny.zip', bytes: archive.length }],
    tested: 'nowhere',
  };
  return { pack, catalogue: new Map([[TINY, pack]]), files, archive };
}

/** Pseudorandom bytes that are the same in every run. */
export function bytesOf(seed: string, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) =>
    createHash('sha256').update(`${seed} ${index}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function published(name: string, bytes: Uint8Array): PublishedFile {
  return { name, bytes: bytes.length, sha256: sha256(bytes) };
}

type Dims = (number | string)[] | undefined;

export interface GraphShape {
  input: Dims;
  outputs: Dims[];
  /** `output_0` and so on by default. */
  outputNames?: readonly string[];
  operators?: string[];
}

/** An ONNX file with this signature. It has the inputs and outputs of a network, but cannot be computed. */
export function onnxFile({
  input,
  outputs,
  outputNames = [],
  operators = ['Conv', 'Relu'],
}: GraphShape): Uint8Array {
  const tensor = (name: string, dims: Dims): ValueInfo => ({ name, elementType: 'float', dims });
  return writeModel(
    { irVersion: 7, opset: 13, producer: 'test' },
    {
      name: 'test',
      inputs: [tensor('input', input)],
      outputs: outputs.map((dims, index) => tensor(outputNames[index] ?? `output_${index}`, dims)),
      initialisers: [],
      nodes: operators.map((opType) => ({ opType, inputs: ['input'], outputs: ['x'], attributes: {} })),
    },
  );
}

export const DETECTOR_SHAPE: GraphShape = {
  input: [1, 3, 'height', 'width'],
  outputs: [1, 1, 1, 4, 4, 4, 10, 10, 10].map((columns) => ['anchors', columns]),
};

/** YuNet's outputs, in the order in which OpenCV's networks have them. */
export const YUNET_SHAPE: GraphShape = {
  input: [1, 3, 'height', 'width'],
  outputs: Array(YUNET_OUTPUTS.length).fill([1, 'cells', 'values']),
  outputNames: YUNET_OUTPUTS,
};

export const RECOGNISER_SHAPE: GraphShape = { input: ['batch', 3, 112, 112], outputs: [['batch', 512]] };
