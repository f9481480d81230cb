/** An embedding of one picture, and how much it counts. */
export interface FusedPicture {
  /** L2 norm 1. */
  embedding: Float32Array;
  /** Of any scale, at least 0: the estimated quality of the face. */
  weight: number;
}

/** One embedding of one person from several pictures. Indexes are places in the list of pictures, ascending. */
export interface Template {
  /** L2 norm 1. */
  embedding: Float32Array<ArrayBuffer>;
  used: number[];
  /** Pictures of somebody else, or too poor to tell. */
  outliers: number[];
}

/**
 * Fuses the embeddings of several pictures of one person: the mean of the unit vectors, weighted, and scaled to norm 1.
 *
 * Pictures of other people are left out. The picture that is most similar to the others, by the median so that a minority does not
 * count, begins the group; then each picture is compared with the weighted mean of the group without itself, and belongs to it if
 * their cosine reaches `agreement`, until the group stays as it is. More than half of the pictures must belong to it: of two
 * pictures that do not agree, none can say which is the intruder.
 *
 * @param pictures at least one.
 * @param agreement the least cosine of two pictures of one person, −1..1.
 * @returns undefined if no more than half of the pictures agree.
 */
export function fuseEmbeddings(pictures: readonly FusedPicture[], agreement: number): Template | undefined {
  const all = pictures.map((_, index) => index);
  let used = all.length > 1 ? groupAround(medoidOf(pictures), pictures, agreement) : all;
  for (let round = 0; round < MAX_ROUNDS && pictures.length > 2; round++) {
    const next = all.filter((index) => agrees(index, used, pictures, agreement));
    const isSame = next.length === used.length && next.every((index, place) => index === used[place]);
    used = next;
    if (isSame) break;
  }
  if (2 * used.length <= pictures.length) return undefined;
  const embedding = Float32Array.from(unitMean(used.map((index) => pictures[index] as FusedPicture)));
  return { embedding, used, outliers: all.filter((index) => !used.includes(index)) };
}

/** More than the groups of any real batch take; a picture at the limit could come and go for ever. */
const MAX_ROUNDS = 10;

/** The picture whose median cosine to the others is the largest. */
function medoidOf(pictures: readonly FusedPicture[]): number {
  const medians = pictures.map((picture, index) => {
    const others = pictures.flatMap((other, place) =>
      place === index ? [] : dot(picture.embedding, other.embedding),
    );
    others.sort((a, b) => b - a);
    // Of an even number, the upper one: in a group of just more than half, so many are of the same person.
    return others[Math.ceil(others.length / 2) - 1] as number;
  });
  return medians.indexOf(Math.max(...medians));
}

function groupAround(centre: number, pictures: readonly FusedPicture[], agreement: number): number[] {
  const { embedding } = pictures[centre] as FusedPicture;
  return pictures.flatMap((picture, index) =>
    index === centre || dot(embedding, picture.embedding) >= agreement ? [index] : [],
  );
}

/** Whether a picture is of the person whom the others of the group show. */
function agrees(
  index: number,
  group: readonly number[],
  pictures: readonly FusedPicture[],
  agreement: number,
): boolean {
  const others = group.filter((other) => other !== index).map((other) => pictures[other] as FusedPicture);
  if (others.length === 0) return false;
  return dot(unitMean(others), (pictures[index] as FusedPicture).embedding) >= agreement;
}

/** Weights below this share of the largest count as so much, so that there is always a mean. */
const MIN_WEIGHT_SHARE = 0.05;

function unitMean(pictures: readonly FusedPicture[]): Float64Array {
  const largest = Math.max(...pictures.map(({ weight }) => weight));
  const sum = new Float64Array(pictures[0]?.embedding.length ?? 0);
  for (const { embedding, weight } of pictures) {
    const share = largest > 0 ? Math.max(weight / largest, MIN_WEIGHT_SHARE) : 1;
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + share * (embedding[i] as number);
  }
  const norm = Math.sqrt(dot(sum, sum));
  // Only vectors that cancel out have no direction: then none of them agrees with it.
  for (let i = 0; norm > 0 && i < sum.length; i++) sum[i] = (sum[i] as number) / norm;
  return sum;
}

function dot(a: Float64Array | Float32Array, b: Float64Array | Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}
