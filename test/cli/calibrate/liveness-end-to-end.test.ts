import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { litPicture } from '../../support/lit-pictures.ts';
import { writeDescribedPackTo } from '../../support/packs/described-packs.ts';
import { livenessNetwork } from '../../support/packs/liveness-networks.ts';
import { blankPng } from '../../support/pictures.ts';
import { type Calibration, readJson, runCalibration } from '../../support/processes/calibration.ts';
import { ServiceProcess } from '../../support/processes/service-process.ts';
import { FACES, hasRealWeights, MODELS } from '../../support/shared.ts';
import { writeFiles } from '../../support/temporary-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'calibrate-liveness-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a calibration of liveness against the real service', () => {
  const out = join(folder, 'out');
  const modelsDir = join(folder, 'models');
  const pictures = ['--live', join(folder, 'live'), '--spoof', join(folder, 'spoof')];
  const environment = { MODEL_NAME: 'own', MODELS_DIR: modelsDir, LIVENESS_MODEL: 'mean.onnx' };
  const calibrateTo = (to: string, ...more: string[]) =>
    runCalibration(['--liveness', ...pictures, '--out', to, ...more], {
      ...environment,
      // Of a service that has no threshold yet, which would not start with it.
      LIVENESS: 'require',
    });
  let calibration: Calibration;

  beforeAll(async () => {
    await writeDescribedPackTo(modelsDir);
    const files: Record<string, string | Uint8Array> = {
      'models/mean.onnx': livenessNetwork('insightface'),
      'live/blank.png': await blankPng(),
    };
    for (let i = 0; i < 8; i++) {
      files[`live/${i}.png`] = await litPicture(170 + 5 * i, i + 1);
      files[`spoof/print/${i}.png`] = await litPicture(60 + 5 * i, i + 1);
      files[`spoof/screen/${i}.png`] = await litPicture(70 + 5 * i, i + 11);
    }
    files['spoof/screen/copy.png'] = files['spoof/screen/0.png'] as Uint8Array;
    await writeFiles(folder, files);
    calibration = await calibrateTo(out, '--apcer', '0.4', '--source', 'lit <pictures>');
  });

  it('writes the rates of each class, a histogram, and the threshold', () => {
    expect(calibration.code).toBe(0);
    const report = readJson(out, 'report.json');
    expect(report).toMatchObject({
      live_pictures: 8,
      spoof_pictures: 16,
      kinds: { print: 8, screen: 8 },
      copies: 1,
      bpnrr: { count: 1, of: 9 },
      apnrr: { count: 0, of: 16 },
      failures: [{ image: 'live/blank.png', code: 'NO_FACE_DETECTED' }],
    });
    expect(
      report.by_threshold.find(({ threshold }: { threshold: number }) => threshold === 0.5),
    ).toMatchObject({
      apcer: { count: 0, of: 8 },
      bpcer: { count: 0, of: 8 },
    });
    expect(readJson(out, 'liveness.json')).toMatchObject({
      model: report.model.name,
      source: 'lit <pictures>',
      target: { error: 'apcer', rate: 0.4, evidence: 'rule_of_3' },
      bpcer: 0,
    });
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    expect(page).toContain('lit &#60;pictures&#62;');
    expect(page.match(/<svg /g)).toHaveLength(2);
    expect(calibration.stdout).toMatch(/^threshold +APCER +BPCER +ACER$/m);
    expect(existsSync(join(out, 'embeddings.jsonl'))).toBe(false);
  });

  it('gives a threshold that the service takes from the folder of the pack', async () => {
    writeFileSync(join(modelsDir, 'own', 'liveness.json'), readFileSync(join(out, 'liveness.json')));
    const service = new ServiceProcess({ ...environment, LIVENESS: 'require' });
    const address = await service.ready();
    const info = (await (await fetch(`${address}/v1/model-info`)).json()) as Record<string, unknown>;
    const { threshold, apcer, source } = readJson(out, 'liveness.json');
    expect(info.liveness).toMatchObject({ threshold, calibration: { apcer, source }, default: 'require' });
    const send = async (level: number) => {
      const body = await litPicture(level);
      const headers = { 'Content-Type': 'image/png' };
      return (await fetch(`${address}/v1/embed`, { method: 'POST', headers, body })).status;
    };
    expect([await send(200), await send(60)]).toEqual([200, 422]);
    await service.end();
  });

  it('writes no liveness.json where the pictures are too few, and removes an older one', async () => {
    const { code, stdout } = await calibrateTo(out);
    expect(code).toBe(0);
    expect(stdout).toContain('Too few pictures: an APCER of 5\u00a0% needs at least 60 spoofs of each kind');
    expect(existsSync(join(out, 'liveness.json'))).toBe(false);
  });

  it('says what is missing', async () => {
    const without = await runCalibration(['--liveness', ...pictures, '--out', out], {
      ...environment,
      LIVENESS_MODEL: '',
    });
    expect([without.code, without.stderr]).toEqual([1, expect.stringContaining('set LIVENESS_MODEL')]);
    const noFolder = await runCalibration(['--liveness', '--live', 'a', '--spoof', '/none', '--out', out]);
    expect([noFolder.code, noFolder.stderr]).toEqual([1, expect.stringContaining('cannot be read (ENOENT)')]);
    const usage = await runCalibration(['--liveness']);
    expect([usage.code, usage.stderr]).toEqual([2, expect.stringContaining('--spoof FOLDER')]);
  });
});

describe.skipIf(!hasRealWeights)('a calibration of liveness with real weights', () => {
  it("separates minivision's samples", async () => {
    const real = join(folder, 'real');
    const read = (name: string) => readFileSync(join(FACES, 'liveness', `${name}.jpg`));
    // Enlarged a little, so that no file is a copy of another.
    const sizes = [480, 500, 520];
    for (const name of ['live_1', 'spoof_1', 'spoof_2']) {
      const kind = name.startsWith('live') ? 'live' : 'spoof';
      mkdirSync(join(real, kind), { recursive: true });
      for (const width of sizes) {
        await sharp(read(name))
          .autoOrient()
          .resize(width)
          .jpeg({ quality: 95 })
          .toFile(join(real, kind, `${name}-${width}.jpg`));
      }
    }
    const out = join(real, 'out');
    const { code } = await runCalibration(
      [
        '--liveness',
        '--live',
        join(real, 'live'),
        '--spoof',
        join(real, 'spoof'),
        '--out',
        out,
        '--apcer',
        '0.5',
      ],
      {
        MODELS_DIR: MODELS,
        MODEL_NAME: 'buffalo_sc_dq',
        LIVENESS_MODEL: 'liveness/minifasnet_v2_2.7_80x80.onnx,liveness/minifasnet_v1se_4.0_80x80.onnx',
      },
    );
    expect(code).toBe(0);
    const { by_threshold, failures } = readJson(out, 'report.json');
    expect(failures).toEqual([]);
    expect(by_threshold.find(({ threshold }: { threshold: number }) => threshold === 0.5)).toMatchObject({
      apcer: { count: 0, of: 6 },
      bpcer: { count: 0, of: 3 },
    });
    expect(readJson(out, 'liveness.json').model).toMatch(/^minifasnet:/);
  });
});
