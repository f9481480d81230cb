import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerOf } from '../support/http/answer.ts';
import { type Calibration, readJson, runCalibration } from '../support/processes/calibration.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { FACES, hasRealWeights, MODELS } from '../support/shared.ts';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);

describe.skipIf(!hasRealWeights)('a calibration on 300 pairs of Labeled Faces in the Wild', () => {
  const out = mkdtempSync(join(tmpdir(), 'calibrate-'));
  let calibration: Calibration;
  // biome-ignore lint/suspicious/noExplicitAny: the tests check single members of report.json.
  let report: any;

  beforeAll(async () => {
    const lfw = join(FACES, 'lfw');
    calibration = await runCalibration(['--pairs', join(lfw, 'pairs.csv'), '--images', lfw, '--out', out], {
      MODEL_NAME: 'buffalo_sc_dq',
      MODELS_DIR: MODELS,
    });
    report = readJson(out, 'report.json');
  }, 180_000);
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  it('embeds every picture, and gives a rough threshold for FAR 10 % only', () => {
    expect(calibration.code).toBe(0);
    expect(report.pictures).toEqual({ total: 558, embedded: 558, failed: 0 });
    expect(report.figures).toMatchObject({ genuine_pairs: 150, impostor_pairs: 150 });
    const [at10, ...others] = report.figures.operating_points;
    expect(at10.evidence.rule).toBe('rule_of_3');
    expect(at10.far.count).toBe(15);
    expect(at10.tar.rate).toBeGreaterThanOrEqual(0.99);
    for (const { thresholds } of others) expect(thresholds).toBeUndefined();
    const file = readJson(out, 'thresholds.json');
    expect(file.thresholds).toHaveLength(3);
    // 150 pairs show no rate below 3 in 150.
    expect(
      file.curve.points.find(({ far }: { far?: number }) => far !== undefined).far,
    ).toBeGreaterThanOrEqual(0.02);
  });

  it('gives the service the rates of its matches', async () => {
    const pack = 'buffalo_sc_dq';
    const folder = join(out, 'models', pack);
    mkdirSync(folder, { recursive: true });
    for (const file of readdirSync(join(MODELS, pack)))
      symlinkSync(join(MODELS, pack, file), join(folder, file));
    copyFileSync(join(out, 'thresholds.json'), join(folder, 'thresholds.json'));
    const service = new ServiceProcess({ MODEL_NAME: pack, MODELS_DIR: join(out, 'models') });
    try {
      const address = await service.ready();
      const image = (file: string) => readFileSync(join(FACES, 'lfw', file)).toString('base64');
      const compare = async (query: string) =>
        answerOf(
          await fetch(`${address}/v1/compare?${query}`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({
              query_image: image('Al_Pacino_0001.jpg'),
              reference_embeddings: [
                { id: 'same', image: image('Al_Pacino_0002.jpg') },
                { id: 'other', image: image('Edwina_Currie_0002.jpg') },
              ],
            }),
          }),
        );
      const { status, body } = await compare('max_fpir=0.1');
      expect(status).toBe(200);
      expect(body.best_match).toMatchObject({
        id: 'same',
        is_match: true,
        far: { high: expect.any(Number) },
      });
      // 150 pairs show little about so near a pair.
      expect(body.best_match.far).not.toHaveProperty('estimate');
      expect(body.matches[1]).toMatchObject({ id: 'other', is_match: false });
      expect(body.matches[1].far.estimate).toBeGreaterThan(0.05);
      const refused = await compare('max_far=0.001');
      expect(refused.status).toBe(400);
      expect(refused.body.detail).toMatch(/^max_far: 0\.001 is less than the measured pairs can show/);
    } finally {
      service.kill('SIGTERM');
      await service.exit;
    }
  });

  it('measures an accuracy of at least 99 %', () => {
    expect(report.figures.best_accuracy.accuracy).toBeGreaterThanOrEqual(0.99);
    expect(report.figures.equal_error_rate.rate).toBeLessThanOrEqual(0.01);
  });

  it.skipIf(CHROMIUM === undefined)('writes a page with five charts that a browser renders', () => {
    const profile = mkdtempSync(join(tmpdir(), 'chromium-'));
    const shot = join(out, 'page.png');
    execFileSync(
      CHROMIUM as string,
      [
        ...['--headless', '--no-sandbox', '--disable-gpu', '--window-size=1100,3000'],
        ...[`--user-data-dir=${profile}`, `--screenshot=${shot}`, `file://${join(out, 'report.html')}`],
      ],
      { stdio: 'ignore', timeout: 60_000 },
    );
    rmSync(profile, { recursive: true, force: true });
    // An empty page of this size has a few kilobytes.
    expect(readFileSync(shot).length).toBeGreaterThan(100_000);
    expect(readFileSync(join(out, 'report.html'), 'utf8').match(/<svg /g)).toHaveLength(5);
  });
});
