import { readdirSync, readFileSync } from 'node:fs';

/**
 * Memory of a process and all its descendants, in MiB: the proportional set size (PSS). Weights that are mapped from a file count
 * once, however many threads and processes map them; in the resident set size (RSS) they would count once for each mapping.
 *
 * @returns undefined where there is no /proc.
 */
export function memoryOf(pid: number): number | undefined {
  return sumMiB(
    processTree(pid).map((each) => readKilobytes(`/proc/${each}/smaps_rollup`, /^Pss:\s+(\d+) kB/m)),
  );
}

/**
 * What {@link memoryOf} lacks of the files that a process and its descendants map because other processes map them too, in MiB.
 * A service alone on its machine shares Node's binary, libraries and weights with nobody, but here the benchmark and other
 * services map them. Reading it takes longer.
 */
export function sharedWithOthers(pid: number): number {
  const files = new Map<string, MappedFile>();
  for (const each of processTree(pid)) addMappedFiles(files, readText(`/proc/${each}/smaps`));
  const missing = [...files.values()].map(({ proportional, parts }) => {
    const whole = [...parts.values()].reduce((sum, value) => sum + value, 0);
    return Math.max(0, whole - proportional);
  });
  return sumMiB(missing) ?? 0;
}

/** In kilobytes. */
interface MappedFile {
  /** Summed over all mappings. */
  proportional: number;
  /** Resident pages of each part of the file by its offset: a part that is mapped several times counts once. */
  parts: Map<string, number>;
}

/** @param smaps see proc(5). */
function addMappedFiles(files: Map<string, MappedFile>, smaps: string): void {
  const mappings =
    /^[0-9a-f]+-[0-9a-f]+ \S+ ([0-9a-f]+) \S+ \d+ +(\/.*)\n(?:\w+: .*\n)*?Rss: +(\d+) kB\nPss: +(\d+) kB/gm;
  for (const [, offset = '', path = '', resident, proportional] of smaps.matchAll(mappings)) {
    const file = files.get(path) ?? { proportional: 0, parts: new Map() };
    file.proportional += Number(proportional);
    file.parts.set(offset, Math.max(file.parts.get(offset) ?? 0, Number(resident)));
    files.set(path, file);
  }
}

/** Ticks of the clock in /proc/PID/stat, a second: USER_HZ, which is 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Processor time of a process and its descendants, in seconds; not a number where there is no /proc. */
export function processorSecondsOf(pid: number): number {
  const ticks = processTree(pid).map((each) => {
    // After the name of the program in parentheses, utime and stime are the 12th and the 13th field. Source: proc(5).
    const fields = readText(`/proc/${each}/stat`)
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, value) => sum + value, 0) / TICKS_PER_SECOND;
}

function sumMiB(kilobytes: number[]): number | undefined {
  const known = kilobytes.filter(Number.isFinite);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0) / 1024;
}

function processTree(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)];
}

/** A child belongs to the thread that started it. */
function childrenOf(pid: number): number[] {
  return listThreads(pid)
    .flatMap((thread) => readText(`/proc/${pid}/task/${thread}/children`).split(/\s+/))
    .filter(Boolean)
    .map(Number);
}

function listThreads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
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
