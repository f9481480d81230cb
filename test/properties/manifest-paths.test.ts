import { posix, win32 } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../src/packs/manifest.ts';
import { PackInvalidError } from '../../src/packs/pack-errors.ts';
import { check, SEED } from './check.ts';

/** What paths are made of, and what may lead out of a folder on some system. */
const piece = fc.constantFrom(
  ...[
    '..',
    '.',
    '',
    ' ',
    '...',
    '.. ',
    ' ..',
    'model',
    'sub',
    'MODEL.LICENSE',
    'x.onnx',
    '~',
    '$HOME',
    '%2e%2e',
    '．．',
  ],
  ...['C:', 'C:\\', '\\', '..\\', '\\\\host\\share', 'a:b', '\0', 'a\0', 'NUL', '\n', '\u202e', '\ud800'],
);
const anyPath = fc.oneof(
  fc
    .tuple(fc.array(piece, { minLength: 1, maxLength: 6 }), fc.constantFrom('/', '\\', '//'))
    .map(([parts, by]) => parts.join(by)),
  fc.string({ unit: 'binary', maxLength: 30 }),
);
const ending = fc.constantFrom('', '/x.onnx', '.onnx', '/MODEL.LICENSE', '.ONNX', '/');

const named = fc.tuple(anyPath, ending).map(([path, end]) => path + end);
const harmless = fc
  .array(
    fc
      .string({ unit: fc.constantFrom(...'abcXYZ0129-_ é'), minLength: 1 })
      .filter((part) => part.trim() === part),
    {
      minLength: 1,
      maxLength: 4,
    },
  )
  .map((parts) => parts.join('/'));

const manifestOf = (detector: string, recogniser: string, licence: string): string =>
  JSON.stringify({
    manifest_version: 2,
    model_id: 'own',
    license: licence,
    tasks: { detection: { file: detector }, recognition: { file: recogniser } },
  });

describe(`the paths of a manifest (seed ${SEED})`, () => {
  it('lead to a place inside the pack on every system, or are refused', () => {
    check(
      fc.property(named, fc.constantFrom('detector', 'recogniser', 'licence'), (path, member) => {
        const of = (name: string, usual: string) => (name === member ? path : usual);
        const text = manifestOf(
          of('detector', 'd.onnx'),
          of('recogniser', 'r.onnx'),
          of('licence', 'MODEL.LICENSE'),
        );
        try {
          const manifest = parseManifest(text);
          const { detection, recognition } = manifest?.tasks ?? {};
          for (const file of [detection?.file, recognition?.file, manifest?.license])
            expectInside(file as string);
        } catch (error) {
          expect(error).toBeInstanceOf(PackInvalidError);
        }
      }),
    );
  });

  it('are accepted when they are relative and plain', () => {
    check(
      fc.property(harmless, (path) => {
        const manifest = parseManifest(manifestOf(`${path}.onnx`, `${path}/r.onnx`, `${path}/MODEL.LICENSE`));
        expect(manifest?.tasks.detection.file).toBe(`${path}.onnx`);
        expect(manifest?.license).toBe(`${path}/MODEL.LICENSE`);
      }),
    );
  });
});

function expectInside(path: string): void {
  for (const [system, folder] of [
    [posix, '/models/own'],
    [win32, 'D:\\models\\own'],
  ] as const) {
    const full = system.join(folder, path);
    expect(full.startsWith(folder + system.sep), JSON.stringify(path)).toBe(true);
    expect(system.isAbsolute(path), JSON.stringify(path)).toBe(false);
  }
  // The system calls of Node refuse it, and those of C end there.
  expect(path).not.toContain('\0');
}
