import { readFileSync } from 'node:fs';

/** In MiB; undefined where there is no /proc. */
export interface Memory {
  /** Pages shared between processes count once for each process. */
  resident: number | undefined;
  /** Pages shared between processes count once. */
  proportional: number | undefined;
}

/** Memory of a process and all its descendants. */
export function memoryOf(pid: number): Memory {
  const pids = processTree(pid);
  return {
    resident: sumMiB(pids.map((each) => readKilobytes(`/proc/${each}/status`, /^VmRSS:\s+(\d+) kB/m))),
    proportional: sumMiB(
      pids.map((each) => readKilobytes(`/proc/${each}/smaps_rollup`, /^Pss:\s+(\d+) kB/m)),
    ),
  };
}

function sumMiB(kilobytes: number[]): number | undefined {
  const known = kilobytes.filter(Number.isFinite);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0) / 1024;
}

function processTree(pid: number): number[] {
  const children = readText(`/proc/${pid}/task/${pid}/children`).split(/\s+/).filter(Boolean);
  return [pid, ...children.flatMap((child) => processTree(Number(child)))];
}

function readKilobytes(path: string, pattern: RegExp): number {
  return Number(pattern.exec(readText(path))?.[1]);
}

/** Empty for a file that is not there: the process may have ended. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
