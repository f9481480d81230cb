import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runModelsCommand } from '../../src/cli/models/command.ts';
import { matchFaces } from '../../src/cli/models/quantise/comparison.ts';
import { type Figures, missedBounds } from '../../src/cli/models/quantise/figures.ts';
import { NETWORKS } from '../../src/cli/models/quantise/options.ts';
import { choosePictures } from '../../src/cli/models/quantise/pictures.ts';
import { writeDescribedPackTo } from '../support/packs/described-packs.ts';
import { blobsPng } from '../support/pictures.ts';
import { filesIn, temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

/** A folder with as many photographs, and a MODELS_DIR with a pack of which nothing can be quantised. */
async function setup(photographs: number) {
  const folder = await temporaryFolder();
  const modelsDir = await writeDescribedPackTo(join(folder, 'models'));
  const images = join(folder, 'images');
  const picture = await blobsPng(1);
  for (let i = 0; i < photographs; i++) await writeFiles(images, { [`people/${i}.png`]: picture });
  const quantise = async (command: string) => {
    let stderr = '';
    const code = await runModelsCommand(['quantise', ...command.split(' ')], {
      environment: { MODELS_DIR: modelsDir },
      stdout: { write: () => true },
      stderr: { write: (text) => (stderr += text) },
    });
    return { code, stderr };
  };
  return { folder, modelsDir, images, quantise };
}

describe('models quantise', () => {
  it('refuses a network of which nothing can be quantised, and writes nothing', async () => {
    const { quantise, images, modelsDir } = await setup(20);
    const before = await filesIn(modelsDir);
    const { code, stderr } = await quantise(`own --images ${images}`);
    expect(code).toBe(1);
    expect(stderr).toContain('The detector cannot be quantised: it has no layer');
    expect(await filesIn(modelsDir)).toEqual(before);
  });

  it('refuses too few photographs, a folder that is not there, and the synthetic pack', async () => {
    const { quantise, images, folder } = await setup(19);
    expect(await quantise(`own --images ${images}`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('has 19 photographs; at least 20 are needed'),
    });
    const { stderr } = await quantise(`own --images ${join(folder, 'none')}`);
    expect(stderr).toContain('cannot be read (ENOENT)');
    expect((await quantise(`synthetic --images ${images}`)).stderr).toContain('recognises nobody');
  });

  it('refuses to replace a pack, and pairs that cannot be read', async () => {
    const { quantise, images, modelsDir, folder } = await setup(20);
    const pairs = join(folder, 'pairs.csv');
    expect((await quantise(`own --images ${images} --pairs ${pairs}`)).stderr).toContain(
      'cannot be read (ENOENT)',
    );
    await writeFiles(modelsDir, { 'own-int8/x': '' });
    expect((await quantise(`own --images ${images}`)).stderr).toContain('exists. Remove it first.');
  });
});

describe('the photographs', () => {
  it('to calibrate and to measure on are different ones, the same in each run', async () => {
    const { images } = await setup(50);
    const chosen = await choosePictures(images, []);
    expect(chosen.calibration).toHaveLength(20);
    expect(chosen.measured).toHaveLength(30);
    expect(new Set([...chosen.calibration, ...chosen.measured]).size).toBe(50);
    expect(await choosePictures(images, [])).toEqual(chosen);
  });

  it('of pairs are measured on, unless there are no others to calibrate on', async () => {
    const { images } = await setup(50);
    const pair = (i: number) => ({ a: `people/${i}.png`, b: `people/${i + 1}.png`, same: i % 4 === 0 });
    const few = Array.from({ length: 10 }, (_, i) => pair(2 * i));
    expect((await choosePictures(images, few)).pairs).toEqual(few);
    const all = Array.from({ length: 25 }, (_, i) => pair(2 * i));
    const { calibration, measured, pairs } = await choosePictures(images, all);
    expect(calibration).toHaveLength(20);
    expect(pairs).toHaveLength(15);
    for (const { a, b } of pairs) {
      expect(measured).toEqual(expect.arrayContaining([a, b]));
      expect(calibration).not.toContain(a);
      expect(calibration).not.toContain(b);
    }
  });
});

describe('the faces of two detectors', () => {
  const face = (left: number, score: number) => ({
    box: { left, top: 0, right: left + 10, bottom: 10 },
    score,
  });

  it('are matched to those that overlap most, each once', () => {
    const [first, second, lost] = [face(0, 0.9), face(4, 0.8), face(100, 0.7)];
    const [near, nearer, extra] = [face(5, 0.9), face(0.5, 0.8), face(200, 0.6)];
    expect(matchFaces([first, second, lost], [near, nearer, extra])).toEqual([
      [first, nearer],
      [second, near],
    ]);
  });
});

describe('the bounds', () => {
  const good: Figures = {
    pictures: 60,
    faces: 200,
    missed: 1,
    extra: 1,
    landmarkShift: { median: 0.001, high: 0.004 },
    cosine: {
      detector: { median: 0.9985, low: 0.99 },
      recogniser: { median: 0.99, low: 0.98 },
      both: { median: 0.989, low: 0.97 },
    },
    speed: {
      detector: { float: 100, int8: 40 },
      recogniser: { float: 100, int8: 30 },
      gain: 2.8,
    },
    bytes: { float: 4, int8: 1 },
  };

  it('are met by good figures', () => {
    expect(missedBounds(good, NETWORKS)).toEqual([]);
  });

  it.each<[string, Partial<Figures>]>([
    ['2 faces missed and 1 extra of 200 are 1.5 %', { missed: 2 }],
    ['cosine', { cosine: { ...good.cosine, detector: { median: 0.9979, low: 0.99 } } }],
    ['cosine', { cosine: { ...good.cosine, recogniser: { median: 0.979, low: 0.9 } } }],
    ['1.10 times as fast', { speed: { ...good.speed, gain: 1.1 } }],
    ['NaN', { cosine: { ...good.cosine, detector: { median: Number.NaN, low: Number.NaN } } }],
  ])('say what is missed: %s', (sentence, change) => {
    const problems = missedBounds({ ...good, ...change }, NETWORKS);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(sentence);
  });

  it('are those of the networks that were quantised', () => {
    const changed = { ...good, missed: 20, cosine: { ...good.cosine, detector: { median: 0, low: 0 } } };
    expect(missedBounds(changed, ['recogniser'])).toEqual([]);
  });
});
