import { readFileSync } from 'node:fs';

/**
 * Memory of a process and all its descendants in MiB: resident (what is shared between them counts for each) and
 * proportional (what is shared counts once). Undefined where there is no /proc.
 */
export function memoryOf(pid) {
  const pids = familyOf(pid);
  const resident = pids.map((each) => kilobytes(`/proc/${each}/status`, /^VmRSS:\s+(\d+) kB/m));
  const proportional = pids.map((each) => kilobytes(`/proc/${each}/smaps_rollup`, /^Pss:\s+(\d+) kB/m));
  const sum = (values) => {
    const known = values.filter(Number.isFinite);
    return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0) / 1024;
  };
  return { resident: sum(resident), proportional: sum(proportional) };
}

function familyOf(pid) {
  const children = read(`/proc/${pid}/task/${pid}/children`)?.trim().split(/\s+/).filter(Boolean) ?? [];
  return [pid, ...children.flatMap((child) => familyOf(Number(child)))];
}

function kilobytes(path, pattern) {
  return Number(pattern.exec(read(path) ?? '')?.[1]);
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
