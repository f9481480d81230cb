import { describe, expect, it } from 'vitest';
import { AUTO_ORDER, DEVICE_NAMES, isOnPlatform } from '../../src/config/devices.ts';
import { whyNot } from '../../src/engine/device.ts';
import { judge, probeDevice } from '../../src/vision/device/probe.ts';

describe('the devices', () => {
  it('are all tried by DEVICE=auto, the CPU last', () => {
    expect([...AUTO_ORDER].sort()).toEqual([...DEVICE_NAMES].sort());
    expect(AUTO_ORDER.at(-1)).toBe('cpu');
  });

  it('are for the platforms whose ONNX Runtime has them', () => {
    const on = (platform: string) => AUTO_ORDER.filter((device) => isOnPlatform(device, platform));
    expect(on('linux-x64')).toEqual(['cuda', 'webgpu', 'cpu']);
    expect(on('linux-arm64')).toEqual(['cpu']);
    expect(on('darwin-arm64')).toEqual(['coreml', 'webgpu', 'cpu']);
    expect(on('win32-x64')).toEqual(['webgpu', 'cpu']);
  });
});

describe('a device that was tried', () => {
  it('is taken by DEVICE=auto if it is not slower than a thread of the CPU', () => {
    expect(whyNot({ works: true, difference: 0, deviceMs: 2, cpuMs: 3 })).toBeUndefined();
    expect(whyNot({ works: true, difference: 0, deviceMs: 300, cpuMs: 3 })).toBe(
      'It is slower than one thread of the processor by a factor of 100.',
    );
    expect(whyNot({ works: false, reason: 'It is not there.' })).toBe('It is not there.');
  });

  it('works if it computes what the CPU computes, up to a short mantissa', () => {
    const output = (difference: number) =>
      `a line of the driver\n${JSON.stringify({ difference, deviceMs: 1, cpuMs: 2 })}`;
    expect(judge(output(0.001))).toEqual({ works: true, difference: 0.001, deviceMs: 1, cpuMs: 2 });
    for (const difference of [0.1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(judge(output(difference))).toEqual({
        works: false,
        reason: 'It computes other numbers than the CPU.',
      });
    }
  });

  it.skipIf(process.platform !== 'linux')('is not tried on a platform that it is not for', async () => {
    expect(await probeDevice('coreml')).toEqual({
      works: false,
      reason: `It is for darwin-arm64, and this is linux-${process.arch}.`,
    });
  });
});
