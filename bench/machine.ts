import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from 'node:os';

const ROOT = new URL('..', import.meta.url);

/** What the figures were measured on and with. No names and no paths. */
export function describeMachine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${platform()} ${arch()}`,
    /** Above the number of cores times a little, somebody else was working here, too. */
    loadBefore: loadavg()[0],
    versions: {
      node: process.versions.node,
      ...Object.fromEntries(['onnxruntime-node', 'sharp', 'hono'].map((name) => [name, versionOf(name)])),
    },
    commit: spawnSync('git', ['describe', '--always', '--dirty', '--tags'], {
      cwd: ROOT,
      encoding: 'utf8',
    }).stdout?.trim(),
  };
}

function versionOf(name) {
  const file = new URL(`node_modules/${name}/package.json`, ROOT);
  return JSON.parse(readFileSync(file, 'utf8')).version;
}
