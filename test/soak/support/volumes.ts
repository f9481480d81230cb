import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const mount = (...args: string[]) => spawnSync('mount', args).status === 0;

/** Whether this process may mount file systems: usually as root of a machine of its own. */
export const canMount = ((): boolean => {
  const folder = mkdtempSync(join(tmpdir(), 'mount-'));
  const mounted = mount('-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder);
  if (mounted) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true });
  return mounted;
})();

/** A volume of its own until the current test ends. @param options of the mount, such as its size. */
export function mountVolume(options: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'volume-'));
  if (!mount('-t', 'tmpfs', '-o', options, 'tmpfs', folder)) throw new Error(`${folder} cannot be mounted.`);
  onTestFinished(() => {
    spawnSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Writes until there is no room. */
export function fillVolume(folder: string): void {
  for (let size = 1 << 20; size >= 1; size >>= 1) {
    for (let at = 0; ; at++) {
      try {
        writeFileSync(join(folder, `filler-${size}-${at}`), Buffer.alloc(size));
      } catch {
        rmSync(join(folder, `filler-${size}-${at}`), { force: true });
        break;
      }
    }
  }
}
