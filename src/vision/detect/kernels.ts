import { readFileSync } from 'node:fs';
import { builtFile } from '../../config/package.ts';

/** The exports of src/vision/assembly/bilinear.ts, which documents them; addresses are in bytes. */
export interface Kernels {
  memory: WebAssembly.Memory;
  interpolateRow(source: number, taps: number, weights: number, out: number, width: number): void;
  blendRows(
    upper: number,
    lower: number,
    upperWeight: number,
    lowerWeight: number,
    width: number,
    out: number,
    plane: number,
    mean: number,
    scale: number,
  ): void;
  halveRows(
    upper: number,
    lower: number,
    width: number,
    out: number,
    plane: number,
    mean: number,
    scale: number,
  ): void;
}

const kernelModule = new WebAssembly.Module(readFileSync(builtFile('vision/bilinear.wasm')));

/** @returns the kernels with a memory of their own. */
export function instantiateKernels(): Kernels {
  return new WebAssembly.Instance(kernelModule).exports as unknown as Kernels;
}
