/** What the service has to know about a kind of device, and says about it. */
export interface DeviceFacts {
  /** Its name in ONNX Runtime's `executionProviders`. */
  provider: string;
  /** Whether a worker processes several images at a time and recognises their faces in batches. */
  gpu: boolean;
  /** `process.platform`-`process.arch` of the builds of onnxruntime-node 1.30 that have the provider. */
  platforms: readonly string[];
  /** Maximum of WORKERS. */
  maxWorkers?: number;
  /** What must be there besides the npm package; completes the sentence "It needs …". */
  needs: string;
  /** How far it has been tried, for the documents. */
  tried: string;
}

/** All devices, as DEVICE names them. */
export const DEVICES = {
  cpu: {
    provider: 'cpu',
    gpu: false,
    platforms: ['linux-x64', 'linux-arm64', 'darwin-arm64', 'win32-x64', 'win32-arm64'],
    needs: 'nothing',
    tried: 'tested and measured',
  },
  cuda: {
    provider: 'cuda',
    gpu: true,
    platforms: ['linux-x64'],
    needs:
      'an NVIDIA driver, CUDA and cuDNN, and the CUDA provider, which ' +
      '"npm rebuild onnxruntime-node --ignore-scripts=false" fetches',
    tried: 'not tested on a GPU, not measured',
  },
  webgpu: {
    provider: 'webgpu',
    gpu: true,
    platforms: ['linux-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64'],
    // Two sessions that run at a time in one process end it with a segmentation fault: microsoft/onnxruntime#32561 and #31627,
    // seen here with ONNX Runtime 1.30 on Linux. One worker runs its sessions one after the other.
    maxWorkers: 1,
    needs:
      'a GPU and its driver: on Linux one for Vulkan, and the Vulkan loader, libvulkan.so.1; macOS and Windows bring Metal and ' +
      'Direct3D 12',
    tried: 'tested on Linux with a GPU in software (SwiftShader), not measured',
  },
  coreml: {
    provider: 'coreml',
    gpu: true,
    platforms: ['darwin-arm64'],
    needs: 'macOS on Apple silicon',
    tried: 'not tested, not measured',
  },
} as const satisfies Record<string, DeviceFacts>;

/** Where inference runs. */
export type Device = keyof typeof DEVICES;

export const DEVICE_NAMES = Object.keys(DEVICES) as Device[];

export const factsOf = (device: Device): DeviceFacts => DEVICES[device];

/** Whether this platform's build of ONNX Runtime has the provider. */
export function isOnPlatform(device: Device, platform = `${process.platform}-${process.arch}`): boolean {
  return factsOf(device).platforms.includes(platform);
}

/** The order in which DEVICE=auto tries devices. The last works everywhere. */
export const AUTO_ORDER = ['cuda', 'coreml', 'webgpu', 'cpu'] as const satisfies Device[];

/** What DEVICE=auto stands for on this machine. */
export interface AutoDevice {
  device: Device;
  /** Why the devices before it in {@link AUTO_ORDER} were not taken: a sentence each, without paths. */
  passedOver: Partial<Record<Device, string>>;
}
