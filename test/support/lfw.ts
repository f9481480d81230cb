import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EmbeddedFace } from '../../src/vision/embed-face.ts';
import { rankReferences } from './http/rank-references.ts';
import { cosine } from './numbers.ts';
import { FACES } from './shared.ts';

/** Two photographs of Labeled Faces in the Wild. */
export interface Pair {
  a: string;
  b: string;
  same: boolean;
}

/** The 300 labelled pairs. */
export function readPairs(): Pair[] {
  const [, ...lines] = readFileSync(join(FACES, 'lfw', 'pairs.csv'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => {
    const [a, b, same] = line.trim().split(',') as [string, string, string];
    return { a, b, same: same === '1' };
  });
}

/** The best accuracy that one threshold reaches, with the distances of the API. */
export function bestThreshold(pairs: readonly Pair[], faces: ReadonlyMap<string, EmbeddedFace>) {
  const embedding = (file: string) => Array.from(faces.get(file)?.embedding ?? []);
  const distances = pairs.map(({ a, b, same }) => {
    const { best_match } = rankReferences({
      query_embedding: embedding(a),
      reference_embeddings: [{ id: b, embedding: embedding(b) }],
      distance_metric: 'cosine',
    });
    return { distance: best_match?.distance ?? 2, same };
  });
  const accuracyAt = (threshold: number) =>
    distances.filter(({ distance, same }) => distance <= threshold === same).length / distances.length;
  return distances
    .map(({ distance }) => ({ threshold: distance, accuracy: accuracyAt(distance) }))
    .reduce((p, q) => (q.accuracy > p.accuracy ? q : p));
}

/** Of all pairs of photographs: the share of those of one person that match where `far` of those of two persons do. */
export function tarAtFar(faces: ReadonlyMap<string, EmbeddedFace>, far: number): number {
  const all = [...faces].map(([file, { embedding }]) => ({ person: personOf(file), embedding }));
  const genuine: number[] = [];
  const impostor: number[] = [];
  for (const [index, one] of all.entries()) {
    for (const other of all.slice(index + 1)) {
      const list = one.person === other.person ? genuine : impostor;
      list.push(cosine(one.embedding, other.embedding));
    }
  }
  impostor.sort((a, b) => b - a);
  const threshold = impostor[Math.floor(far * impostor.length)] as number;
  return genuine.filter((value) => value > threshold).length / genuine.length;
}

/** Files are named like Abdullah_0002.jpg. */
const personOf = (file: string) => file.replace(/_\d+\.jpg$/, '');
