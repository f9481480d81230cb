import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from 'node:os';
import { PACKAGE_ROOT } from '../src/config/package.ts';

/** What the figures were measured on and with. Contains no host name and no path. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  platform: string;
  /** Load average over one minute, read before the run. Well above 0 when the machine had other work. */
  loadBefore: number;
  /** Package → version. */
  versions: Record<string, string>;
  /** Undefined outside a git repository. */
  commit?: string;
}

const PACKAGES = ['onnxruntime-node', 'sharp', 'hono'];

export function describeMachine(): Machine {
  const git = spawnSync('git', ['describe', '--always', '--dirty', '--tags'], {
    cwd: PACKAGE_ROOT,
    encoding: 'utf8',
  });
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${platform()} ${arch()}`,
    loadBefore: loadavg()[0] ?? 0,
    versions: {
      node: process.versions.node,
      ...Object.fromEntries(PACKAGES.map((name) => [name, installedVersion(name)])),
    },
    ...(git.status === 0 && { commit: git.stdout.trim() }),
  };
}

function installedVersion(name: string): string {
  const file = new URL(`node_modules/${name}/package.json`, PACKAGE_ROOT);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}
