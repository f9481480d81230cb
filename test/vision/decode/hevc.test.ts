import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../../src/vision/decode/decode.ts';
import { ByteReader } from '../../../src/vision/decode/inspect/byte-reader.ts';
import { countHevcPictures, readHevcConfiguration } from '../../../src/vision/decode/inspect/hevc.ts';
import { hasRealWeights, photo } from '../../support/shared.ts';

const exponential = (value: number) => {
  const digits = (value + 1).toString(2);
  return '0'.repeat(digits.length - 1) + digits;
};

/** A sequence parameter set up to its size (ITU-T H.265, 7.3.2.2), with the bytes that keep it free of markers. */
function sequenceParameters(width: number, height: number, subLayers = 0, chroma = 1): number[] {
  const present = subLayers > 0 ? '11'.repeat(subLayers) + '00'.repeat(8 - subLayers) : '';
  const bits =
    `0000${subLayers.toString(2).padStart(3, '0')}1${'0'.repeat(96)}${present}${'0'.repeat(96 * subLayers)}` +
    exponential(0) +
    exponential(chroma) +
    (chroma === 3 ? '0' : '') +
    exponential(width) +
    exponential(height);
  const bytes = bits.match(/.{1,8}/g)?.map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2)) ?? [];
  const safe: number[] = [];
  for (const byte of bytes) {
    if (byte <= 3 && safe.at(-1) === 0 && safe.at(-2) === 0) safe.push(3);
    safe.push(byte);
  }
  return [33 << 1, 1, ...safe];
}

/** Contents of a box `hvcC` (ISO/IEC 14496-15, 8.3.3.1). */
function configuration(...units: number[][]): ByteReader {
  const array = [33, 0, units.length, ...units.flatMap((unit) => [0, unit.length, ...unit])];
  return new ByteReader(Uint8Array.from([...new Array(21).fill(0), 3, 1, ...array]));
}

describe('the configuration of HEVC', () => {
  it.each([
    [4032, 3024, 0, 1],
    [64, 64, 2, 1],
    [16384, 8704, 0, 3],
  ])('says %d × %d, with %d layers below', (width, height, subLayers, chroma) => {
    const read = readHevcConfiguration(configuration(sequenceParameters(width, height, subLayers, chroma)));
    expect(read).toEqual({ size: { width, height }, lengthBytes: 4 });
  });

  it('counts with the largest size', () => {
    const read = readHevcConfiguration(
      configuration(sequenceParameters(8192, 8192), sequenceParameters(64, 64)),
    );
    expect(read.size).toEqual({ width: 8192, height: 8192 });
  });

  it('of any damage is read to an end', () => {
    for (let length = 0; length < 64; length++) {
      readHevcConfiguration(new ByteReader(new Uint8Array(length).fill(255)));
      readHevcConfiguration(new ByteReader(new Uint8Array(length)));
    }
  });
});

describe('pictures of HEVC', () => {
  const unit = (type: number, first: boolean) => [0, 0, 0, 4, type << 1, 1, first ? 0x80 : 0, 0];

  it('are counted by their first slices', () => {
    const slices = [unit(19, true), unit(19, false), unit(39, true), unit(1, true)].flat();
    expect(countHevcPictures(Uint8Array.from(slices), 4)).toBe(2);
  });

  it('may not bring parameters of their own', () => {
    expect(() => countHevcPictures(Uint8Array.from(unit(33, true)), 4)).toThrow('decoded');
  });
});

describe.skipIf(!hasRealWeights)('a HEIC file', () => {
  const bytes = Buffer.from(photo('unusual/heic.heic'));

  it('is refused if its pictures are larger than it says', async () => {
    const at = bytes.indexOf('hvcC') + 4;
    const { size } = readHevcConfiguration(new ByteReader(bytes.subarray(at, at + 200)));
    expect(size.width).toBeGreaterThanOrEqual(250);
    const parameters = bytes.indexOf(Buffer.from([33 << 1, 1]), at);
    const larger = Buffer.from(bytes);
    larger.set(sequenceParameters(16384, 16384), parameters);
    await expect(decodePicture(larger, 50_000_000)).rejects.toMatchObject({
      code: 'INVALID_IMAGE',
      detail: expect.stringContaining('Tiles, layers and frames'),
    });
  });

  it('is refused as an overlay, whose size is also in its data', async () => {
    const overlay = Buffer.from(bytes);
    // Where the items are described; the configuration has the same name.
    overlay.write('iovl', overlay.indexOf('hvc1'), 'latin1');
    await expect(decodePicture(overlay, 50_000_000)).rejects.toMatchObject({
      code: 'INVALID_IMAGE',
      detail: 'A picture of another codec.',
    });
  });
});
