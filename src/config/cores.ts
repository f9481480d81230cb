import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Reads a text file; undefined when there is none. */
type ReadFile = (path: string) => string | undefined;

/**
 * Whole cores this process may use, at least 1: the smaller of the scheduler's affinity and the container's CPU quota.
 * Inside a container limited by quota, Node counts the host's cores, so this reads the control groups.
 */
export function availableCores(read: ReadFile = readText, affinity = availableParallelism()): number {
  const quota = cgroupV2Quota(read) ?? cgroupV1Quota(read) ?? Number.POSITIVE_INFINITY;
  return Math.max(1, Math.floor(Math.min(affinity, quota)));
}

/**
 * cpu.max contains "<quota> <period>" or "max <period>" in microseconds. A limit on an ancestor applies too, so the minimum
 * along the path counts.
 * Source: Linux kernel, Documentation/admin-guide/cgroup-v2.rst.
 */
function cgroupV2Quota(read: ReadFile): number | undefined {
  const path = read('/proc/self/cgroup')?.match(/^0::(\/.*)$/m)?.[1];
  const quotas = ancestors(path ?? '/').map((folder) => {
    const [quota, period] = read(`/sys/fs/cgroup${folder}/cpu.max`)?.trim().split(/\s+/) ?? [];
    return coresOf(quota, period);
  });
  return minimum(quotas);
}

/** Source: Linux kernel, Documentation/scheduler/sched-bwc.rst; a quota of -1 means none. */
function cgroupV1Quota(read: ReadFile): number | undefined {
  const path = read('/proc/self/cgroup')?.match(/^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(\/.*)$/m)?.[1];
  const quotas = ancestors(path ?? '/').flatMap((folder) =>
    ['cpu', 'cpu,cpuacct'].map((controller) => {
      const base = `/sys/fs/cgroup/${controller}${folder}`;
      return coresOf(read(`${base}/cpu.cfs_quota_us`)?.trim(), read(`${base}/cpu.cfs_period_us`)?.trim());
    }),
  );
  return minimum(quotas);
}

/** '/a/b' gives ['/a/b', '/a', '']. */
function ancestors(path: string): string[] {
  const parts = path.split('/').filter(Boolean);
  return [...parts.keys(), parts.length]
    .map((count) =>
      parts
        .slice(0, count)
        .map((part) => `/${part}`)
        .join(''),
    )
    .reverse();
}

function coresOf(quota: string | undefined, period: string | undefined): number | undefined {
  const cores = Number(quota) / Number(period);
  return Number.isFinite(cores) && cores > 0 ? cores : undefined;
}

function minimum(values: (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
