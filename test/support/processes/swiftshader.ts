import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where SwiftShader may be: where .ci/run unpacks it, and where Debian's chromium-common installs it. */
const FOLDERS = [process.env.SWIFTSHADER_DIR, '/usr/lib/chromium'];
const DRIVER = 'vk_swiftshader_icd.json';
const LOADER = 'libvulkan.so.1';

const folder = FOLDERS.find((path) => path && [DRIVER, LOADER].every((file) => existsSync(join(path, file))));

/**
 * The environment of a process in which the only GPU is SwiftShader, which computes on the CPU: a GPU for tests on machines
 * without one. Undefined where it is not installed.
 */
export const swiftShader: Record<string, string> | undefined =
  folder && process.platform === 'linux' && process.arch === 'x64'
    ? { VK_ICD_FILENAMES: join(folder, DRIVER), LD_LIBRARY_PATH: folder }
    : undefined;

if (swiftShader === undefined) {
  console.log('SwiftShader is not installed (Debian: chromium-common), so no test runs on a GPU.');
}
