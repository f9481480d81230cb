import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf } from '../../support/http/answer.ts';
import { rankReferences } from '../../support/http/rank-references.ts';
import { writeDescribedPackTo } from '../../support/packs/described-packs.ts';
import { blankPng, blobs } from '../../support/pictures.ts';
import { type Calibration, readJson, runCalibration } from '../../support/processes/calibration.ts';
import { ServiceProcess } from '../../support/processes/service-process.ts';
import { writeFiles } from '../../support/temporary-folder.ts';

const PEOPLE = 14;
/** 14 · 13 / 2 pairs of people with nine pairs of pictures each. */
const IMPOSTORS = 91 * 9;

const folder = mkdtempSync(join(tmpdir(), 'calibrate-'));
const out = join(folder, 'out');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The synthetic pack recognises a picture that is encoded again, so three JPEG qualities of a picture are a "person". */
async function writePeople() {
  for (let person = 0; person < PEOPLE; person++) {
    for (const quality of [95, 60, 20]) {
      const bytes = await blobs(person + 1, 160, 120)
        .jpeg({ quality })
        .toBuffer();
      await writeFiles(folder, { [`people/p${person}/${quality}.jpg`]: bytes });
    }
  }
  await writeFiles(folder, {
    'people/p0/blank.png': await blankPng(),
    'people/p1/broken.png': 'not a picture',
  });
}

describe('a calibration against the real service', () => {
  let calibration: Calibration;
  let modelsDir: string;
  let service: ServiceProcess;
  let address: string;
  // biome-ignore lint/suspicious/noExplicitAny: the tests check single members of report.json.
  let report: any;

  const startService = async () => {
    service = new ServiceProcess({ MODEL_NAME: 'own', MODELS_DIR: modelsDir });
    address = await service.ready();
  };
  beforeAll(async () => {
    await writePeople();
    modelsDir = join(folder, 'models');
    await writeDescribedPackTo(modelsDir);
    await startService();
    calibration = await runCalibration([
      ...['--identities', join(folder, 'people'), '--out', out, '--url', address],
      ...['--source', 'generated <blobs> & "noise"', '--gallery', '4'],
    ]);
    report = readJson(out, 'report.json');
  });
  afterAll(() => service.kill('SIGKILL'));

  it('measures every pair, and lists the pictures that gave no embedding', () => {
    expect(calibration.code).toBe(0);
    expect(report.figures).toMatchObject({
      genuine_pairs: 3 * PEOPLE,
      impostor_pairs: IMPOSTORS,
      people: PEOPLE,
    });
    expect(report.failures.map(({ image, code }: Record<string, string>) => [image, code])).toEqual([
      ['p0/blank.png', 'NO_FACE_DETECTED'],
      ['p1/broken.png', 'UNSUPPORTED_FORMAT'],
    ]);
    expect(readdirSync(out).sort()).toEqual([
      'det.svg',
      'quality-scores.svg',
      'report.html',
      'report.json',
      'roc.svg',
      'score-histogram.svg',
      'thresholds.json',
    ]);
  });

  it('finds thresholds with which /v1/compare gives the measured rates, in each metric', async () => {
    const embeddings = new Map<string, string>();
    const names = readdirSync(join(folder, 'people'), { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((file) => file.endsWith('.jpg'))) {
      const body = readFileSync(join(folder, 'people', name));
      const headers = { 'Content-Type': 'image/jpeg' };
      const url = `${address}/v1/embed?faces=largest&encoding_format=base64`;
      const answer = await answerOf(await fetch(url, { method: 'POST', headers, body }));
      embeddings.set(name, answer.body.embedding);
    }
    const { thresholds } = readJson(out, 'thresholds.json');
    expect(thresholds.map(({ far, metric }: { far: number; metric: string }) => [far, metric])).toEqual(
      [0.1, 0.01].flatMap((far) => ['cosine', 'euclidean', 'similarity'].map((metric) => [far, metric])),
    );
    for (const { metric, threshold, measured_far, tar } of thresholds) {
      const accepted = { genuine: 0, impostor: 0 };
      const entries = [...embeddings];
      for (const [index, [name, embedding]] of entries.entries()) {
        const { matches } = rankReferences({
          query_embedding: embedding,
          reference_embeddings: entries.slice(index + 1).map(([id, other]) => ({ id, embedding: other })),
          distance_metric: metric === 'similarity' ? 'cosine' : metric,
          threshold: metric === 'similarity' ? undefined : threshold,
        });
        for (const { id, similarity, is_match = similarity >= threshold } of matches) {
          const isSame = id.split('/')[0] === name.split('/')[0];
          if (is_match) accepted[isSame ? 'genuine' : 'impostor']++;
        }
      }
      expect(accepted.impostor / IMPOSTORS).toBe(measured_far);
      expect(accepted.genuine / (3 * PEOPLE)).toBe(tar);
    }
  });

  it('leads with the search that was asked for, and has both questions', () => {
    const { gallery, sizes } = report.figures.search;
    expect(gallery.draws).toBeGreaterThan(0);
    const [at10] = gallery.points;
    // The distances of these pictures leave no doubt: three pictures of a "person" are nearly the same.
    expect(at10.fpir.rate).toBeLessThan(0.3);
    expect(at10.fnir.rate).toBe(0);
    expect(sizes.map(({ people }: { people: number }) => people)).toEqual([1, 10, 100, 1_000, 10_000]);
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    expect(page.indexOf('Search, 1:N')).toBeGreaterThan(0);
    expect(page.indexOf('Search, 1:N')).toBeLessThan(page.indexOf('Verification, 1:1'));
    expect(calibration.stdout).toMatch(/FPIR among 4[\s\S]*1:1/);
  });

  it('gives the rates of groups of a table, and says whether they differ', async () => {
    const people = Array.from({ length: PEOPLE }, (_, person) => `p${person}`);
    const lines = people.flatMap((a, index) => [
      `${a}/95.jpg,${a}/60.jpg,1,${index % 2 ? '<odd>' : 'even'}`,
      ...people.slice(index + 1).map((b) => `${a}/95.jpg,${b}/95.jpg,0,${index % 2 ? '<odd>' : 'even'}`),
    ]);
    await writeFiles(folder, { 'pairs.csv': ['image_a,image_b,same_person,group', ...lines].join('\n') });
    const own = join(folder, 'groups');
    const { code, stdout } = await runCalibration([
      ...['--pairs', join(folder, 'pairs.csv'), '--images', join(folder, 'people')],
      ...['--url', address, '--out', own, '--gallery', '4'],
    ]);
    expect(code).toBe(0);
    const { groups, search } = readJson(own, 'report.json').figures;
    expect(groups[0].groups.map(({ group }: { group: string }) => group)).toEqual(['<odd>', 'even']);
    expect(groups[0].groups[1].fnmr).toMatchObject({ of: PEOPLE / 2, errors: 0, differs: false });
    expect(stdout).toContain('cannot be told apart');
    expect(readFileSync(join(own, 'report.html'), 'utf8')).toContain('&#60;odd&#62;');
    // A table does not say whom a picture shows.
    expect(search.gallery.draws).toBeUndefined();
    expect(stdout).toContain('--identities does');
  });

  it('gives no threshold for a FAR with too few pairs, and says so', () => {
    const [at10, at1, at01] = report.figures.operating_points;
    expect(at10.evidence.rule).toBe('rule_of_30');
    expect(at1.evidence.rule).toBe('rule_of_3');
    expect(at01).toMatchObject({ target: 0.001, evidence: { needed: 3_000, firm: 30_000 } });
    expect(at01.thresholds).toBeUndefined();
    expect(calibration.stdout).toContain('FAR 0.1\u00a0%: Too few impostor pairs');
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('Too few impostor pairs');
  });

  it('writes a page that loads nothing, and escapes names', () => {
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    expect(page.match(/<svg /g)).toHaveLength(4);
    // XML namespaces are not fetched.
    const withoutNames = page.replace(/ xmlns(:\w+)?="[^"]*"/g, '');
    expect(withoutNames).not.toMatch(/https?:|<script|<link|<img|<iframe|@import|url\((?!#|['"]?#)/i);
    expect(withoutNames).not.toMatch(/\s(src|srcset|href|data)=/i);
    expect(page).toContain('generated &#60;blobs&#62; &#38; &#34;noise&#34;');
    expect(page).not.toContain('<blobs>');
  });

  it('leaves no path of this machine and no embedding behind', () => {
    for (const file of readdirSync(out)) {
      const text = readFileSync(join(out, file), 'utf8');
      expect(text).not.toContain(folder);
      expect(text).not.toContain('"embedding"');
    }
    expect(existsSync(join(out, 'embeddings.jsonl'))).toBe(false);
    expect(calibration.stderr).toContain('biometric data');
  });

  it('writes thresholds that the service serves when they are beside the pack', async () => {
    await cp(join(out, 'thresholds.json'), join(modelsDir, 'own', 'thresholds.json'));
    service.kill('SIGTERM');
    await service.exit;
    await startService();
    const { body: info } = await answerOf(await fetch(`${address}/v1/model-info`));
    const { thresholds, source, created } = readJson(out, 'thresholds.json');
    expect(info.thresholds).toEqual(
      thresholds.map((entry: object) => ({
        ...entry,
        genuine_pairs: 3 * PEOPLE,
        impostor_pairs: IMPOSTORS,
        people: PEOPLE,
        source,
        created,
      })),
    );
  });

  it('starts and stops the service if no address is given', async () => {
    const own = join(folder, 'own-service');
    const { code, stderr } = await runCalibration(
      ['--identities', join(folder, 'people'), '--impostors', '50', '--out', own],
      { MODEL_NAME: 'synthetic', WORKERS: '1', API_KEYS: 'door=0123456789abcdef0123456789abcdef' },
    );
    expect(code).toBe(0);
    expect(stderr).toContain('does not recognise people');
    // Two people have a fourth picture, which fails: three more pairs each.
    expect(readJson(own, 'report.json').pairs).toBe(3 * PEOPLE + 6 + 50);
  });
});
