import { readFile } from 'node:fs/promises';

export const baseUrl = process.env.BASE_URL ?? '';
export const bytes = await readFile('face.webp');
export const image = bytes.toString('base64');
export const file = new File([bytes], 'face.webp', { type: 'image/webp' });

/** Makes each call and prints a line of JSON for it: its name, and what was wrong. */
export async function makeCalls(calls: Record<string, () => Promise<void>>): Promise<void> {
  for (const [name, call] of Object.entries(calls)) {
    const failure = await call().then(
      () => undefined,
      (error) => String(error),
    );
    console.log(JSON.stringify({ name, failure }));
  }
}

/** @throws unless the embedding is one. */
export function expectEmbedding(embedding: number[] | string | undefined): void {
  const length = typeof embedding === 'string' ? atob(embedding).length / 4 : embedding?.length;
  if (length !== 512) throw new Error(`The embedding has ${length} numbers.`);
}

/** @throws unless they are equal. */
export function expectEqual(actual: unknown, expected: unknown): void {
  const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== e) throw new Error(`Expected ${e}, received ${a}.`);
}
