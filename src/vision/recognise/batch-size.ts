import type { AlignedFace } from '../align/alignment.ts';

/** Recognises faces in one run. @returns an embedding for each, not normalised. */
type RunFaces = (faces: readonly AlignedFace[]) => Promise<Float32Array[]>;

/**
 * Maximum difference between two embeddings of the same face, relative to their norm: another order of additions and a GPU's
 * shorter mantissas stay below it.
 */
const TOLERANCE = 0.01;

/**
 * Rows of a run for this many faces: the next power of two. ONNX Runtime's CUDA provider searches for the best convolutions
 * at every new input shape (microsoft/onnxruntime#709), so there must be few, and none that is new after the start.
 */
export function rowsFor(faces: number): number {
  return 2 ** Math.ceil(Math.log2(faces));
}

/**
 * Finds the largest power of two, up to a limit, at which one run gives each face the embedding that it gets in a run of
 * its own. It tries all of them, so that each shape has been run once.
 *
 * @param size side of the faces, in pixels.
 */
export async function findLargestBatch(limit: number, size: number, run: RunFaces): Promise<number> {
  const faces = Array.from({ length: limit }, (_, index) => patternedFace(index, size));
  const expected: Float32Array[] = [];
  for (const face of faces) expected.push(...(await run([face])));
  let largest = 1;
  for (let batch = 2; batch <= limit; batch *= 2) {
    const outputs = await run(faces.slice(0, batch)).catch(() => []);
    const same = outputs.filter((output, index) => isSameEmbedding(output, expected[index] as Float32Array));
    if (same.length < batch) break;
    largest = batch;
  }
  return largest;
}

/** Pixels of a pattern that differs for each number. */
function patternedFace(number: number, size: number): AlignedFace {
  const pixels = Uint8Array.from({ length: 3 * size ** 2 }, (_, i) => {
    const x = Math.floor(i / 3) % size;
    const y = Math.floor(i / (3 * size));
    return 128 + 100 * Math.sin((number + 1) * 0.05 * x + (i % 3)) * Math.cos(0.11 * y + number);
  });
  return { pixels, size, transform: { a: 1, b: 0, tx: 0, ty: 0 } };
}

function isSameEmbedding(output: Float32Array, expected: Float32Array): boolean {
  if (output.length !== expected.length) return false;
  const difference = Math.hypot(...output.map((value, index) => value - (expected[index] as number)));
  return difference <= TOLERANCE * Math.hypot(...expected);
}
