import { expect, it } from 'vitest';
import { byteSums } from '../../src/config/byte-sums.ts';

it.each([
  ['x64', 'flags : avx2 avx512f avx512_vnni', 'wide'],
  ['x64', 'flags : avx2 avx_vnni', 'wide'],
  ['x64', 'flags : avx2 avx512f', 'narrow'],
  ['x64', '', 'unknown'],
  ['arm64', '', 'wide'],
])('%s with %j adds products of bytes in sums that are %s', (architecture, cpuinfo, expected) => {
  expect(byteSums(architecture, cpuinfo)).toBe(expected);
});
