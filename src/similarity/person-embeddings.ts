import { invalidEmbedding, scaleToUnit, type UncheckedEmbedding } from './embedding.ts';
import { type EmbeddingReader, type ExpectedLength, type NamedEmbedding, openList } from './embedding-set.ts';

/** The distance to a person with several embeddings: that to the nearest of them, or that to their mean. */
export const PERSON_DISTANCES = ['nearest', 'mean'] as const;

export type PersonDistance = (typeof PERSON_DISTANCES)[number];

/** A reference with one embedding, or with several of one person. */
export interface PersonEmbeddings extends NamedEmbedding {
  embeddings?: readonly UncheckedEmbedding[] | undefined;
}

/** A mean of unit vectors that is shorter than this has no direction: only rounding is left of it. */
const MIN_MEAN_NORM = 1e-6;

/**
 * Opens references of which some have several embeddings. With `nearest`, the reader has a row for each embedding; with `mean`, one
 * for each reference: the mean of its unit vectors, scaled to norm 1.
 *
 * @param name of the list in the request.
 * @throws {ServiceError} INVALID_EMBEDDING for an invalid first embedding; the others are checked when they are read.
 */
export function openPersons(
  list: readonly PersonEmbeddings[],
  name: string,
  distance: PersonDistance,
  like?: ExpectedLength,
): EmbeddingReader {
  const rows: NamedEmbedding[] = [];
  /** The reference of each row. */
  const owners: number[] = [];
  const starts = new Uint32Array(list.length + 1);
  for (const [index, { id, embedding, embeddings }] of list.entries()) {
    if (embeddings === undefined) rows.push({ id, embedding });
    else for (const each of embeddings) rows.push({ id, embedding: each });
    while (owners.length < rows.length) owners.push(index);
    starts[index + 1] = rows.length;
  }
  const nameOf = (row: number) => {
    const reference = owners[row] as number;
    const place = `${name}[${reference}]`;
    if (list[reference]?.embeddings === undefined) return `${place}.embedding`;
    return `${place}.embeddings[${row - (starts[reference] as number)}]`;
  };
  const each = openList(rows, name, like, nameOf);
  const ids = list.map(({ id }) => id);
  if (distance === 'nearest') return { ...each, ids, starts, groups: starts };
  return { ...each, ids, groups: starts, read: readerOfMeans(each, starts, name) };
}

function readerOfMeans(each: EmbeddingReader, starts: Uint32Array, name: string): EmbeddingReader['read'] {
  const one = new Float64Array(each.length ?? 0);
  return (reference, row) => {
    const first = starts[reference] as number;
    const end = starts[reference + 1] as number;
    each.read(first, row);
    if (end === first + 1) return;
    for (let index = first + 1; index < end; index++) {
      each.read(index, one);
      for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) + (one[i] as number);
    }
    let sum = 0;
    for (let i = 0; i < row.length; i++) sum += (row[i] as number) * (row[i] as number);
    const place = `${name}[${reference}].embeddings`;
    if (Math.sqrt(sum) < MIN_MEAN_NORM * (end - first))
      throw invalidEmbedding(place, 'has no mean: they cancel out');
    scaleToUnit(row, place);
  };
}

/** The embeddings of all references together. */
export function countEmbeddings({ ids, groups }: Pick<EmbeddingReader, 'ids' | 'groups'>): number {
  return groups?.at(-1) ?? ids.length;
}

/** The most embeddings of one reference. */
export function mostEmbeddings({ groups }: Pick<EmbeddingReader, 'groups'>): number {
  let most = 1;
  if (groups) {
    for (let i = 1; i < groups.length; i++) {
      most = Math.max(most, (groups[i] as number) - (groups[i - 1] as number));
    }
  }
  return most;
}
