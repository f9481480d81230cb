import { existsSync, readdirSync } from 'node:fs';
import { AUTO_ORDER, type AutoDevice, type Device, factsOf } from '../config/devices.ts';
import { StartupError } from '../errors.ts';
import { type Probe, probeDevice } from '../vision/device/probe.ts';

/**
 * Checks that ONNX Runtime can run on the device, so that a configured GPU is never silently replaced.
 *
 * @throws {StartupError} saying what is missing.
 */
export async function assertDeviceAvailable(device: Device): Promise<void> {
  // With a CPU, the main thread does not load ONNX Runtime, and nothing has to be tried.
  if (device === 'cpu') return;
  const probe = await probeDevice(device);
  if (probe.works) return;
  throw new StartupError(
    `DEVICE is "${device}"; this installation of ONNX Runtime cannot use it. ${probe.reason} ` +
      `It needs ${factsOf(device).needs}. Accepted without them is cpu.`,
  );
}

/**
 * Finds what DEVICE=auto stands for: the first device of {@link AUTO_ORDER} that works, and is not slower than one thread of the
 * CPU, as a GPU in software (SwiftShader, llvmpipe, WARP) is by a factor of a hundred.
 *
 * Nothing is tried, and no driver loaded, on a Linux machine that has no device file of a GPU.
 */
export async function findAutoDevice(): Promise<AutoDevice> {
  const passedOver: AutoDevice['passedOver'] = {};
  for (const device of AUTO_ORDER) {
    const reason = device === 'cpu' ? undefined : (missingFile(device) ?? whyNot(await probeDevice(device)));
    if (reason === undefined) return { device, passedOver };
    passedOver[device] = reason;
  }
  return { device: 'cpu', passedOver };
}

/** @returns why a device that was tried is not taken. */
export function whyNot(probe: Probe): string | undefined {
  if (!probe.works) return probe.reason;
  const { deviceMs, cpuMs } = probe;
  if (deviceMs <= cpuMs) return undefined;
  return `It is slower than one thread of the processor by a factor of ${Number((deviceMs / cpuMs).toPrecision(2))}.`;
}

/** The device files of GPUs on Linux: NVIDIA's, Windows' GPU in its Linux subsystem, and those of all other drivers. */
const NVIDIA_FILES = ['/dev/nvidiactl', '/dev/dxg'];
const OTHER_FILES = { folder: '/dev/dri', begin: 'renderD' };

/** @returns what a Linux machine without this kind of device lacks; undefined if it has to be tried. */
function missingFile(device: Device): string | undefined {
  if (process.platform !== 'linux' || NVIDIA_FILES.some((path) => existsSync(path))) return undefined;
  const { folder, begin } = OTHER_FILES;
  const nvidia = NVIDIA_FILES.join(', ');
  if (device === 'cuda') return `There is no device file of an NVIDIA GPU (${nvidia}).`;
  if (device !== 'webgpu' || filesIn(folder).some((name) => name.startsWith(begin))) return undefined;
  return `There is no device file of a GPU (${folder}/${begin}*, ${nvidia}).`;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
