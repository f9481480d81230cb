import { readFileSync } from 'node:fs';
import type { WeightBits } from '../../../onnx/quantise/ranges.ts';

/** Instructions that multiply bytes and add the products in 32 bits, as Linux names them. */
const WIDE_PRODUCTS = /\b(avx512_vnni|avx_vnni|amx_int8)\b/;

export interface ByteArithmetic {
  weightBits: WeightBits;
  /** A sentence about the processor. */
  reason: string;
}

/**
 * How many bits weights may have on this processor. x64 processors without VNNI add two products in 16 bits, which 8-bit weights
 * overflow. Which instructions there are is only known on Linux.
 *
 * @param cpuinfo the content of /proc/cpuinfo; empty where there is none.
 */
export function byteArithmetic(
  architecture: string = process.arch,
  cpuinfo: string = readCpuinfo(),
): ByteArithmetic {
  if (architecture !== 'x64')
    return { weightBits: 8, reason: 'This processor adds products of bytes in full.' };
  if (WIDE_PRODUCTS.test(cpuinfo)) return { weightBits: 8, reason: 'This processor has VNNI.' };
  const lacks = cpuinfo === '' ? 'is not known to have' : 'does not have';
  return {
    weightBits: 7,
    reason: `This processor ${lacks} VNNI: weights get 7 bits, which are exact here, and the gain is smaller.`,
  };
}

function readCpuinfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
