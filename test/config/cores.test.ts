import { describe, expect, it } from 'vitest';
import { availableCores } from '../../src/config/cores.ts';

/** A file system that has only these files. */
const files = (contents: Record<string, string>) => (path: string) => contents[path];

describe('availableCores', () => {
  it.each([
    ['without a control group', {}, 8],
    [
      'with cgroup v2 and no quota',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' },
      8,
    ],
    [
      'with a cgroup v2 quota of two cores',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '200000 100000\n' },
      2,
    ],
    [
      'with a quota of two and a half cores',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '250000 100000\n' },
      2,
    ],
    [
      'with a quota of half a core',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' },
      1,
    ],
    [
      'with a quota above the cores of the host',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '6400000 100000\n' },
      8,
    ],
    [
      'with a quota on a parent group',
      {
        '/proc/self/cgroup': '0::/system.slice/face.service\n',
        '/sys/fs/cgroup/system.slice/face.service/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/system.slice/cpu.max': '300000 100000\n',
      },
      3,
    ],
    [
      'with a cgroup v1 quota of four cores',
      {
        '/proc/self/cgroup': '4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '400000\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      },
      4,
    ],
    [
      'with cgroup v1 and no quota',
      {
        '/proc/self/cgroup': '4:cpu:/\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      8,
    ],
  ])('counts the cores %s', (_name, contents, expected) => {
    expect(availableCores(files(contents), 8)).toBe(expected);
  });

  it('does not exceed the CPU affinity', () => {
    expect(availableCores(files({ '/sys/fs/cgroup/cpu.max': '800000 100000' }), 3)).toBe(3);
  });
});
