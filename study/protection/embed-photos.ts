import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { median } from '../../bench/statistics.ts';
import { ProtectingTransform } from '../../src/protection/transform.ts';
import type { Pair } from '../quality/comparisons.ts';
import { decode } from '../quality/embed/degradations.ts';
import { openPipeline } from '../quality/embed/pipeline.ts';
import { personOf } from '../quality/photos.ts';
import { keyOf } from './keys.ts';

/** Two photographs of one person, as plain embeddings. */
export interface Couple {
  person: string;
  a: Float32Array;
  b: Float32Array;
}

export interface Photos {
  /** The people who are attacked. */
  couples: Couple[];
  /** Plain embeddings of pictures of other people, which the attacker has: photographs first, then changed copies of them. */
  others: Float32Array[];
  /** How many of them are photographs. */
  photographs: number;
}

/** Medians in milliseconds. */
export interface Cost {
  protect: number;
  embed: number;
  /** Of both for the same photograph. */
  share: number;
}

interface Location {
  pack: string;
  models: string;
  photos: string;
}

/** Changed copies, which give an attacker with few photographs more pairs. */
const COPIES: ((bytes: Buffer) => Promise<Buffer>)[] = [
  (bytes) => sharp(bytes).flop().png().toBuffer(),
  async (bytes) => coverLowerHalf(await decode(bytes)),
];

/** Embeds the photographs, and measures the cost of protecting them, one after the other on one thread. */
export async function embedPhotos(
  pairs: readonly Pair[],
  { pack, models, photos: folder }: Location,
  log: (text: string) => void,
): Promise<{ photos: Photos; cost: Cost }> {
  const { embed } = await openPipeline({ pack, models });
  const costs: Cost[] = [];
  let transform: ProtectingTransform | undefined;
  const embedFile = async (file: string, change = async (bytes: Buffer) => bytes) => {
    const found = await embed(await change(readFileSync(join(folder, file))));
    if (found === undefined) return undefined;
    const { embedding } = found.face;
    transform ??= new ProtectingTransform(keyOf(0), embedding.length);
    const started = performance.now();
    transform.protect(embedding);
    const protect = performance.now() - started;
    const whole = Object.values(found.timings).reduce((sum, ms) => sum + ms, 0);
    costs.push({ protect, embed: whole, share: protect / whole });
    return embedding;
  };

  const couples: Couple[] = [];
  for (const { a: first, b: second } of pairs.filter(({ samePerson }) => samePerson)) {
    const [a, b] = [await embedFile(first), await embedFile(second)];
    if (a && b) couples.push({ person: personOf(first), a, b });
  }
  log(`${couples.length} pairs of photographs of one person`);
  const attacked = new Set(couples.map(({ person }) => person));
  const files = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))].filter(
    (file) => !attacked.has(personOf(file)),
  );
  const others: Float32Array[] = [];
  const embedOthers = async (change?: (bytes: Buffer) => Promise<Buffer>) => {
    for (const file of files) {
      const embedding = await embedFile(file, change);
      if (embedding) others.push(embedding);
    }
    log(`${others.length} pictures of other people`);
  };
  await embedOthers();
  const photographs = others.length;
  for (const change of COPIES) await embedOthers(change);
  const medianOf = (key: keyof Cost) => median(costs.map((cost) => cost[key])) ?? Number.NaN;
  const cost = { protect: medianOf('protect'), embed: medianOf('embed'), share: medianOf('share') };
  return { photos: { couples, others, photographs }, cost };
}

/** Grey from the middle of the picture down, where LFW's photographs have nose and mouth. */
async function coverLowerHalf({ data, width, height }: Awaited<ReturnType<typeof decode>>): Promise<Buffer> {
  const covered = Buffer.from(data);
  covered.fill(128, Math.floor(height * 0.58) * width * 3);
  return sharp(covered, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
