import { StartupError } from '../errors.ts';
import { SYNTHETIC_PACK } from '../packs/pack-folders.ts';
import { resolvePack } from '../packs/resolve.ts';

/**
 * Checks that ONNX Runtime can run on the device, so that a configured GPU is never silently replaced.
 *
 * @throws {StartupError} saying what is missing.
 */
export async function assertDeviceAvailable(device: 'cpu' | 'cuda'): Promise<void> {
  if (device === 'cpu') return;
  // The synthetic pack's small graph serves as the probe. With a CPU, this thread does not load ONNX Runtime at all.
  const { InferenceSession } = await import('onnxruntime-node');
  const { detector } = await resolvePack({ name: SYNTHETIC_PACK, modelsDir: '' });
  try {
    const session = await InferenceSession.create(detector.path, { executionProviders: [device] });
    await session.release();
  } catch {
    throw new StartupError(
      'DEVICE is "cuda"; this installation of ONNX Runtime cannot use it. It needs linux/x64, an NVIDIA driver with ' +
        'CUDA and cuDNN, and the CUDA provider, which ' +
        '"npm rebuild onnxruntime-node --ignore-scripts=false" fetches. Accepted without them is cpu.',
    );
  }
}
