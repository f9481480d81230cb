import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../src/packs/manifest.ts';
import { PackInvalidError } from '../../src/packs/pack-errors.ts';

const MINIMAL = {
  manifest_version: 2,
  model_id: 'raccoon_s',
  license: 'MODEL.LICENSE',
  tasks: { detection: { file: 'det.onnx' }, recognition: { file: 'nets/rec.onnx' } },
};

/** Points for an input of 112×112. */
const ARCFACE: [number, number][] = [
  [38.3, 51.7],
  [73.5, 51.5],
  [56, 71.7],
  [41.5, 92.4],
  [70.7, 92.2],
];

/** The minimal manifest with members of its two tasks changed. */
function manifestWith({ detection = {}, recognition = {}, ...root }: Record<string, object | string> = {}) {
  const tasks = {
    detection: { ...MINIMAL.tasks.detection, ...(detection as object) },
    recognition: { ...MINIMAL.tasks.recognition, ...(recognition as object) },
  };
  return JSON.stringify({ ...MINIMAL, tasks, ...root });
}

describe('a version-2 manifest', () => {
  it('has the defaults of InsightFace for missing members', () => {
    expect(parseManifest(JSON.stringify(MINIMAL))?.tasks).toEqual({
      detection: { file: 'det.onnx' },
      recognition: {
        file: 'nets/rec.onnx',
        preprocessing: { mean: 127.5, std: 127.5 },
        input_size: 112,
        embedding_dimension: 512,
        channel_order: 'rgb',
      },
    });
  });

  it('states the preprocessing and sizes of each network', () => {
    const text = manifestWith({
      detection: { preprocessing: 'embedded', preprocessing_version: 'insightface-scrfd-1' },
      recognition: {
        sha256: 'ab'.repeat(32),
        preprocessing: { mean: 0, std: 255 },
        preprocessing_version: 'insightface-arcface-1',
        input_size: [128, 128],
        embedding_dimension: 256,
      },
    });
    const tasks = parseManifest(text)?.tasks;
    expect(tasks?.detection.preprocessing).toEqual({ mean: 0, std: 1 });
    expect(tasks?.recognition).toMatchObject({
      sha256: 'ab'.repeat(32),
      preprocessing: { mean: 0, std: 255 },
      input_size: 128,
      embedding_dimension: 256,
    });
  });

  it('states the family of the detector, and what another recogniser than ArcFace sees', () => {
    const alignment = [
      [40, 59],
      [87, 59],
      [64, 82],
      [45, 105],
      [83.5, 105],
    ];
    const text = manifestWith({
      detection: { family: 'yunet' },
      recognition: { input_size: [120, 120], channel_order: 'bgr', alignment },
    });
    expect(parseManifest(text)?.tasks).toMatchObject({
      detection: { family: 'yunet' },
      recognition: {
        input_size: 120,
        channel_order: 'bgr',
        alignment: [40, 59, 87, 59, 64, 82, 45, 105, 83.5, 105],
      },
    });
  });

  it('may have unknown members', () => {
    expect(parseManifest(manifestWith({ future: {}, detection: { colour: 'blue' } }))).toBeDefined();
  });

  it.each([
    ['license', { license: '../MODEL.LICENSE' }],
    ['license', { license: 'README.md' }],
    ['model_id', { model_id: '' }],
    ['tasks.detection.file', { detection: { file: '/etc/det.onnx' } }],
    ['tasks.detection.file', { detection: { file: 'a/../../det.onnx' } }],
    ['tasks.detection.file', { detection: { file: 'C:\\det.onnx' } }],
    ['tasks.detection.file', { detection: { file: 'det.bin' } }],
    ['tasks.detection.file', { detection: { file: 7 } }],
    ['tasks.detection.sha256', { detection: { sha256: 'AB'.repeat(32) } }],
    ['tasks.detection.preprocessing', { detection: { preprocessing: 'imagenet' } }],
    ['tasks.recognition.preprocessing', { recognition: { preprocessing: { mean: 127.5, std: 0 } } }],
    ['tasks.recognition.preprocessing_version', { recognition: { preprocessing_version: 'other-2' } }],
    ['tasks.recognition.input_size', { recognition: { input_size: [112, 96] } }],
    ['tasks.recognition.input_size', { recognition: { input_size: 112 } }],
    // Without points of its own, alignment is known for multiples of 112 and 128 only.
    ['tasks.recognition.input_size', { recognition: { input_size: [100, 100] } }],
    ['tasks.recognition.input_size', { recognition: { input_size: [11200, 11200] } }],
    ['tasks.recognition.embedding_dimension', { recognition: { embedding_dimension: 0.5 } }],
    ['tasks.recognition.embedding_dimension', { recognition: { embedding_dimension: 1 } }],
    ['tasks.recognition.channel_order', { recognition: { channel_order: 'BGR' } }],
    ['tasks.recognition.alignment', { recognition: { alignment: 'arcface' } }],
    ['tasks.recognition.alignment', { recognition: { alignment: Array(4).fill([1, 2]) } }],
    ['tasks.recognition.alignment', { recognition: { alignment: Array(5).fill([1, 2]) } }],
    ['tasks.recognition.alignment', { recognition: { alignment: Array(5).fill([1, '2']) } }],
    ['tasks.recognition.alignment', { recognition: { alignment: ARCFACE.map(([x, y]) => [x * 3, y * 3]) } }],
    [
      'tasks.recognition.alignment',
      { recognition: { alignment: ARCFACE.map(([x, y]) => [x / 20, y / 20]) } },
    ],
    ['tasks.recognition.alignment', { recognition: { alignment: ARCFACE.map(([x, y]) => [x, y - 60]) } }],
    ['tasks.recognition.alignment', { recognition: { alignment: ARCFACE.map(([x, y]) => [112 - x, y]) } }],
    ['tasks.recognition.alignment', { recognition: { alignment: ARCFACE.map(([x, y]) => [x, 112 - y]) } }],
    ['tasks.recognition.alignment', { recognition: { alignment: ARCFACE.map(([x]) => [x, 60]) } }],
    ['tasks.detection.family', { detection: { family: 'retinaface' } }],
    ['tasks.recognition.file', { recognition: { file: 'det.onnx' } }],
  ])('is invalid with a malformed %s; the message names it: %j', (member, change) => {
    expect(() => parseManifest(manifestWith(change as Record<string, object>))).toThrow(PackInvalidError);
    expect(() => parseManifest(manifestWith(change as Record<string, object>))).toThrow(member);
  });

  it.each(['model_id', 'license', 'tasks'])('is invalid without %s', (member) => {
    expect(() => parseManifest(JSON.stringify({ ...MINIMAL, [member]: undefined }))).toThrow(member);
  });
});

describe('any other manifest.json', () => {
  it.each(['{}', '[]', 'null', '{"manifest_version": 1}', '{"manifest_version": "2"}'])(
    'is ignored: %s',
    (text) => {
      expect(parseManifest(text)).toBeUndefined();
    },
  );

  it('is invalid if it is not JSON, because it may be a damaged version-2 manifest', () => {
    expect(() => parseManifest('{"manifest_version": 2,')).toThrow(PackInvalidError);
  });
});
