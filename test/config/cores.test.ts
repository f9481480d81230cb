import { describe, expect, it } from 'vitest';
import { availableCores } from '../../src/config/cores.ts';

/** A file system with just these files. */
const files = (contents: Record<string, string>) => (path: string) => contents[path];

describe('the cores a container may use', () => {
  it.each([
    ['no control group at all', {}, 8],
    [
      'cgroup v2 without a limit',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' },
      8,
    ],
    [
      'cgroup v2 with two cores',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '200000 100000\n' },
      2,
    ],
    [
      'a fraction above one',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '250000 100000\n' },
      2,
    ],
    ['less than one core', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' }, 1],
    [
      'more than the host has',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '6400000 100000\n' },
      8,
    ],
    [
      'cgroup v2 with a limit on a parent',
      {
        '/proc/self/cgroup': '0::/system.slice/face.service\n',
        '/sys/fs/cgroup/system.slice/face.service/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/system.slice/cpu.max': '300000 100000\n',
      },
      3,
    ],
    [
      'cgroup v1',
      {
        '/proc/self/cgroup': '4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '400000\n',
        '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      },
      4,
    ],
    [
      'cgroup v1 without a limit',
      {
        '/proc/self/cgroup': '4:cpu:/\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      8,
    ],
  ])('%s', (_name, contents, expected) => {
    expect(availableCores(files(contents), 8)).toBe(expected);
  });

  it('never exceeds the affinity', () => {
    expect(availableCores(files({ '/sys/fs/cgroup/cpu.max': '800000 100000' }), 3)).toBe(3);
  });
});
