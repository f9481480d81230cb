import { shareOf } from '../../src/cli/calibrate/statistics/intervals.ts';
import { ProtectingTransform } from '../../src/protection/transform.ts';
import type { Couple, Photos } from './embed-photos.ts';
import { cosine, type Judgement, judge, Trials } from './judge.ts';
import { keyOf } from './keys.ts';
import { matchByDistances } from './match-unpaired.ts';
import { recover } from './recover.ts';

/** Keys, and pairs of keys, of the attacks without knowledge. */
const KEYS = 10;

/** Numbers of known pairs. */
const KNOWN = [8, 16, 32, 64, 128, 192, 256, 384, 448, 512, 600];

export type StudyResults = ReturnType<typeof runStudy>;

type Embedding = Float32Array;

export function runStudy(photos: Photos, log: (text: string) => void) {
  const size = photos.couples[0]?.a.length ?? 0;
  const transforms = Array.from({ length: KEYS + 1 }, (_, i) => new ProtectingTransform(keyOf(i), size));
  const protect = (key: number) => (embedding: Embedding) =>
    (transforms[key] as ProtectingTransform).protect(embedding);
  log('without knowledge');
  const plain = (embedding: Embedding) => embedding;
  const blind = {
    'both plain': compareSides(photos, [[plain, plain]]),
    'both of one key': compareSides(photos, [[protect(0), protect(0)]]),
    'plain against protected': compareSides(
      photos,
      Array.from({ length: KEYS }, (_, key) => [plain, protect(key)]),
    ),
    'of one key against another': compareSides(
      photos,
      Array.from({ length: KEYS }, (_, key) => [protect(key + 1), protect(key)]),
    ),
  };
  log('with known pairs');
  const known = KNOWN.filter((count) => count <= photos.others.length).map((count) =>
    attackWithPairs(photos, protect(0), count),
  );
  log('with photographs, but no pairs');
  return {
    size,
    people: new Set(photos.couples.map(({ person }) => person)).size,
    couples: photos.couples.length,
    others: photos.others.length,
    photographs: photos.photographs,
    keys: KEYS,
    blind,
    known,
    unpaired: attackWithoutPairs(photos.couples, protect(0), protect(1)),
  };
}

type View = (embedding: Embedding) => Embedding;

function compareSides({ couples }: Photos, views: [left: View, right: View][]): Judgement {
  const trials = new Trials();
  for (const [left, right] of views) {
    trials.add(couples.map(({ person, a, b }) => ({ person, left: left(a), right: right(b) })));
  }
  return trials.judge();
}

/** Recovers protected embeddings of people by pairs of others, and looks for the people by other photographs of them. */
function attackWithPairs({ couples, others }: Photos, protect: View, count: number) {
  const plain = others.slice(0, count);
  const pairs = { plain, protected: plain.map(protect) };
  const stolen = couples.map(({ b }) => protect(b));
  const recovered = recover(pairs, stolen);
  return {
    count,
    cosine: mean(recovered.map((embedding, i) => cosine(embedding, couples[i]?.b ?? []))),
    ...judge(couples.map(({ person, a }, i) => ({ person, left: a, right: recovered[i] as Float64Array }))),
  };
}

/**
 * One photograph of each person is protected; the attacker has the same photographs, others of the same people, or the same
 * photographs protected by another key.
 */
function attackWithoutPairs(couples: readonly Couple[], protect: View, otherKey: View) {
  const firsts = couples.filter(
    ({ person }, i) => couples.findIndex((other) => other.person === person) === i,
  );
  const stolen = firsts.map(({ a }) => protect(a));
  const found = (plain: Embedding[]) =>
    shareOf(matchByDistances(stolen, plain).filter((match, i) => match === i).length, firsts.length);
  return {
    people: firsts.length,
    same: found(firsts.map(({ a }) => a)),
    rekeyed: found(firsts.map(({ a }) => otherKey(a))),
    other: found(firsts.map(({ b }) => b)),
  };
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
