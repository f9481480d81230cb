import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readOptions } from '../../../src/cli/calibrate/options.ts';
import { collectPairs } from '../../../src/cli/calibrate/pairs/collect.ts';
import { parsePairs } from '../../../src/cli/calibrate/pairs/csv.ts';
import { makePairs } from '../../../src/cli/calibrate/pairs/identities.ts';
import type { Pair } from '../../../src/cli/calibrate/pairs/pair.ts';
import { numberPeople } from '../../../src/cli/calibrate/pairs/people.ts';
import { temporaryFolder, writeFiles } from '../../support/temporary-folder.ts';

describe('pairs from a table', () => {
  it('are read with the quoting, line ends and byte order mark of spreadsheets', () => {
    const text =
      '\uFEFFnote,image_a,same_person,image_b\r\n' +
      'x,"Smith, Anna ""A"".jpg",1,b.jpg\r\n\r\n' +
      ',c.jpg,FALSE,d.jpg\r\n' +
      ',d.jpg,0,c.jpg\r\n';
    expect(parsePairs(text)).toEqual([
      { a: 'Smith, Anna "A".jpg', b: 'b.jpg', same: true },
      { a: 'c.jpg', b: 'd.jpg', same: false },
    ]);
  });

  it('have the group that the table names', () => {
    const text = 'image_a,image_b,same_person,group\na,b,1,evening\nc,d,0, \n';
    expect(parsePairs(text)).toEqual([
      { a: 'a', b: 'b', same: true, group: 'evening' },
      { a: 'c', b: 'd', same: false },
    ]);
    const many = Array.from({ length: 51 }, (_, i) => `a${i},b${i},1,g${i}`).join('\n');
    expect(() => parsePairs(`image_a,image_b,same_person,group\n${many}`)).toThrow(
      'The column group has 51 values; the maximum is 50.',
    );
  });

  const HEADER = 'image_a,image_b,same_person\n';
  it.each([
    ['image_a,image_b\na,b\n', 'has no column same_person'],
    [`${HEADER}a,b,1\nc,d,maybe\n`, 'Line 3 of the pairs: same_person is "maybe"; accepted is 1 or 0.'],
    [`${HEADER}a,,1\n`, 'Line 2 of the pairs: image_b is empty.'],
    [`${HEADER}a,a,1\n`, 'Line 2 of the pairs: a picture is paired with itself.'],
    [
      `${HEADER}a,b,1\nb,a,0\n`,
      'Line 3 of the pairs: an earlier line has the same pair with the opposite answer.',
    ],
    [`${HEADER}a,b\n`, 'not valid CSV'],
    [`${HEADER}a,"b,1\n`, 'not valid CSV'],
  ])('are rejected with the line and the column: %j', (text, sentence) => {
    expect(() => parsePairs(text)).toThrow(sentence);
  });
});

describe('pairs from a folder of people', () => {
  const people = [['a1', 'a2', 'a3'], ['b1', 'b2'], ['c1'], ['d1'], ['e1', 'e2', 'e3', 'e4']];
  const possible = 11 * 5 - 3 - 1 - 6;
  const keys = (pairs: Pair[]) => pairs.map(({ a, b }) => [a, b].sort().join());

  it.each([1, 10, 30, possible, 1_000])(
    'are all genuine pairs and %i impostor pairs without repetition',
    (impostors) => {
      const pairs = makePairs(people, { impostors, seed: 5 });
      const genuine = pairs.filter(({ same }) => same);
      expect(keys(genuine)).toEqual('a1,a2 a1,a3 a2,a3 b1,b2 e1,e2 e1,e3 e1,e4 e2,e3 e2,e4 e3,e4'.split(' '));
      const others = pairs.filter(({ same }) => !same);
      expect(others).toHaveLength(Math.min(impostors, possible));
      expect(new Set(keys(others)).size).toBe(others.length);
      for (const { a, b } of others) expect(a[0]).not.toBe(b[0]);
    },
  );

  it('are the same for the same seed, and differ for another', () => {
    const drawn = (seed: number) => keys(makePairs(people, { impostors: 8, seed }));
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
  });

  it('take the pictures of each folder, which names the person', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'Ann/1.jpg': '',
      'Ann/2.PNG': '',
      'Ann/notes.txt': '',
      'Bob/1.webp': '',
      'x.jpg': '',
    });
    const { pairs, personOf } = await collectPairs({ identities: folder, impostors: 10, seed: 1 });
    expect(pairs).toEqual([
      { a: 'Ann/1.jpg', b: 'Ann/2.PNG', same: true },
      { a: 'Ann/1.jpg', b: 'Bob/1.webp', same: false },
      { a: 'Ann/2.PNG', b: 'Bob/1.webp', same: false },
    ]);
    expect(personOf?.('Ann/2.PNG')).toBe('Ann');
  });
});

describe('a collection that cannot be measured is rejected', () => {
  const collect = async (table: string) => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'pairs.csv': `image_a,image_b,same_person\n${table}` });
    return collectPairs({ pairs: join(folder, 'pairs.csv'), images: folder });
  };

  it.each([
    ['a,b,1\n', 'no pairs of different people'],
    ['a,b,0\n', 'no pairs of the same person'],
    ['a,b,0\na,../../secret,1\n', '../../secret is outside the folder'],
    ['a,b,0\na,/etc/hostname,1\n', '/etc/hostname is outside the folder'],
  ])('for the table %j', async (table, sentence) => {
    await expect(collect(table)).rejects.toThrow(sentence);
  });

  it('for a missing folder or table', async () => {
    const nowhere = join(await temporaryFolder(), 'nowhere');
    await expect(collectPairs({ identities: nowhere, impostors: 1, seed: 1 })).rejects.toThrow(
      'is not a folder',
    );
    await expect(collectPairs({ pairs: nowhere, images: '.' })).rejects.toThrow('cannot be read (ENOENT)');
  });
});

describe('people', () => {
  const fileOf = (name: string) => `hash of ${name.replace('copy of ', '')}`;
  const pair = (a: string, b: string, same: boolean) => ({ a, b, same });

  it('are linked by pairs of the same person and by equal files if no folder names them', () => {
    const pairs = [
      pair('a1', 'a2', true),
      pair('a3', 'copy of a2', true),
      pair('b1', 'b2', true),
      pair('a1', 'b1', false),
      pair('c', 'b2', false),
    ];
    const { numberOf, count } = numberPeople(pairs, { fileOf });
    expect(count).toBe(3);
    expect(new Set(['a1', 'a2', 'a3', 'copy of a2'].map(numberOf)).size).toBe(1);
    expect(new Set(['a1', 'b1', 'c'].map(numberOf)).size).toBe(3);
  });

  it('are the folders if folders name them', () => {
    const { count } = numberPeople([pair('x/1', 'y/1', false), pair('x/2', 'x/3', true)], {
      personOf: (name) => name.charAt(0),
      fileOf,
    });
    expect(count).toBe(2);
  });
});

describe('options', () => {
  const OWN = ['--identities', 'people/'];
  it('have defaults that make a report', () => {
    expect(readOptions(OWN, {})).toMatchObject({
      pairs: { identities: 'people/', impostors: 30_000, seed: 1 },
      seed: 1,
      out: 'report',
      source: 'people',
    });
    expect(readOptions([...OWN, '--url', 'http://h:8000/api/'], { CALIBRATE_API_KEY: 'k' })).toMatchObject({
      url: 'http://h:8000/api',
      apiKey: 'k',
    });
  });

  it.each([
    [[], 'Either --pairs or --identities'],
    [['--pairs', 'a', '--identities', 'b', '--images', 'c'], 'Either --pairs or --identities'],
    [['--pairs', 'a'], '--pairs needs --images'],
    [[...OWN, '--images', 'c'], '--images goes with --pairs'],
    [[...OWN, '--impostors', '-3'], '--impostors'],
    [[...OWN, '--seed', 'x'], '--seed is x; accepted is a whole number'],
    [[...OWN, '--url', 'localhost:8000'], '--url is localhost:8000; accepted is an http(s) URL.'],
    [[...OWN, '--colour', 'red'], '--colour'],
  ])('%j are rejected', (argv, sentence) => {
    expect(() => readOptions(argv, {})).toThrow(sentence);
  });
});
