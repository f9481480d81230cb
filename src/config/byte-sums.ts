import { readFileSync } from 'node:fs';

/** Instructions that multiply bytes and add the products in 32 bits, as Linux names them. */
const WIDE_SUMS = /\b(avx512_vnni|avx_vnni|amx_int8)\b/;

/**
 * How this processor adds the products of bytes. `narrow`: x64 processors without VNNI add two of them in 16 bits (vpmaddubsw) and cut off
 * what does not fit, so weights may have 7 bits only. `unknown`: an x64 processor, on a system that does not say what it has.
 */
export type ByteSums = 'wide' | 'narrow' | 'unknown';

/** @param cpuinfo the content of /proc/cpuinfo; empty where there is none. */
export function byteSums(architecture: string = process.arch, cpuinfo: string = readCpuinfo()): ByteSums {
  if (architecture !== 'x64' || WIDE_SUMS.test(cpuinfo)) return 'wide';
  return cpuinfo === '' ? 'unknown' : 'narrow';
}

function readCpuinfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
