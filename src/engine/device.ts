import { StartupError } from '../errors.ts';
import { resolvePack, SYNTHETIC_PACK } from '../packs/resolve.ts';

/**
 * Makes sure that ONNX Runtime can run on the device, so that a GPU that was asked for is never silently replaced.
 *
 * @throws {StartupError} saying what is missing.
 */
export async function assertDeviceAvailable(device: 'cpu' | 'cuda'): Promise<void> {
  if (device === 'cpu') return;
  // The project's own small graph serves as the probe. On a CPU, this thread never loads ONNX Runtime at all.
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
