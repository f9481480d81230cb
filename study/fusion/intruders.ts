import { seededRandom } from '../../src/cli/calibrate/statistics/seeded-random.ts';
import { fuseEmbeddings } from '../../src/similarity/fusion.ts';
import { drawVersion, intervalOverPeople, type Mix, mean, type Person, subsetsOf } from './people.ts';

/** Sets of photographs of one person, with one of somebody else and without. Shares are means over people. */
export interface IntruderResult {
  mix: Mix;
  /** Photographs of a set, with the intruder. */
  size: number;
  people: number;
  sets: number;
  /** The least cosine of two photographs of one person, and where it is from. */
  agreement: number;
  source: string;
  /** Sets whose intruder is named. */
  found: number;
  foundInterval: [number, number];
  /** Sets whose intruder is named, and nobody else. */
  exactly: number;
  /** Sets that give no template. */
  none: number;
  /** Sets with the intruder among the used. */
  missed: number;
  /** Sets of the person alone, one photograph fewer, of which all are used. */
  whole: number;
}

/** Of the strangers, so many are put into each set: all would be the same people over and over. */
const STRANGERS = 100;

export function measureIntruders(
  people: readonly Person[],
  strangers: readonly Person[],
  mixes: readonly Mix[],
  agreements: readonly Pick<IntruderResult, 'agreement' | 'source'>[],
): IntruderResult[] {
  return mixes.flatMap((mix) =>
    [3, 4, 5].flatMap((size) =>
      agreements.map((agreement) => measure(people, strangers, mix, size, agreement)),
    ),
  );
}

function measure(
  people: readonly Person[],
  strangers: readonly Person[],
  mix: Mix,
  size: number,
  { agreement, source }: Pick<IntruderResult, 'agreement' | 'source'>,
): IntruderResult {
  const random = seededRandom(size);
  const able = people.filter(({ length }) => length >= size - 1);
  let sets = 0;
  const shares = able.map((person) => {
    const counts = { found: 0, exactly: 0, none: 0, missed: 0, whole: 0, sets: 0 };
    for (const subset of subsetsOf(person, size - 1)) {
      for (let i = 0; i < STRANGERS; i++) {
        const own = subset.map((photo) => drawVersion(photo, mix, random));
        const stranger = anyBut(person, strangers, random);
        const photo = stranger[Math.floor(random() * stranger.length)] as Person[number];
        const pictures = [...own, drawVersion(photo, mix, random)].map(({ embedding, quality }) => ({
          embedding,
          weight: quality.score,
        }));
        const template = fuseEmbeddings(pictures, agreement);
        const isFound = template?.outliers.includes(size - 1) ?? false;
        counts.sets++;
        counts.found += Number(isFound);
        counts.exactly += Number(isFound && template?.outliers.length === 1);
        counts.none += Number(template === undefined);
        counts.missed += Number(template?.used.includes(size - 1) ?? false);
        const alone = fuseEmbeddings(pictures.slice(0, -1), agreement);
        counts.whole += Number(alone?.outliers.length === 0);
      }
    }
    sets += counts.sets;
    return Object.fromEntries(
      Object.entries(counts).map(([name, count]) => [name, count / counts.sets]),
    ) as typeof counts;
  });
  const meanOf = (name: keyof (typeof shares)[number]) => mean(shares.map((share) => share[name]));
  return {
    mix,
    size,
    people: able.length,
    sets,
    agreement,
    source,
    found: meanOf('found'),
    foundInterval: intervalOverPeople(
      shares.map(({ found }) => found),
      random,
    ),
    exactly: meanOf('exactly'),
    none: meanOf('none'),
    missed: meanOf('missed'),
    whole: meanOf('whole'),
  };
}

function anyBut(person: Person, strangers: readonly Person[], random: () => number): Person {
  for (;;) {
    const stranger = strangers[Math.floor(random() * strangers.length)] as Person;
    if (stranger !== person) return stranger;
  }
}
