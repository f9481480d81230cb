import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { builtFile } from '../../src/config/package.ts';

const BUFFERS = 40;
const MIB = 1024 * 1024;

/** Discards buffers that have outlived collections, and then allocates nothing. Prints their bytes that are left, in MiB. */
const PROGRAM = `
import { setTimeout } from 'node:timers/promises';
const { collectGarbage, discardBytes } = await import(process.argv[1]);
let buffers = Array.from({ length: ${BUFFERS} }, () => new ArrayBuffer(8 * ${MIB}));
// What is alive is old afterwards.
for (let left = 2; left > 0; left--) collectGarbage();
buffers = undefined;
discardBytes(${BUFFERS} * 8 * ${MIB});
const left = () => process.memoryUsage().arrayBuffers / ${MIB};
const held = left();
for (let tries = 0; tries < 600 && left() > held / 2; tries++) await setTimeout(100);
console.log(JSON.stringify({ held, left: left() }));
`;

it('a thread that is idle frees what large requests left in the old generation', () => {
  const garbage = builtFile('threads/garbage.js').href;
  const args = ['--input-type=module', '--eval', PROGRAM, garbage];
  const { held, left } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
  expect(held).toBeGreaterThan(BUFFERS * 4);
  expect(left).toBeLessThan(BUFFERS);
});
