import { appendFileSync, chmodSync, existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  cachedPictures,
  readJson,
  runCalibration,
  startCalibration,
} from '../../support/processes/calibration.ts';
import { temporaryFolder, writeFiles } from '../../support/temporary-folder.ts';
import { type StandInOptions, startStandIn } from './stand-in-service.ts';

const PEOPLE = 12;

/** Twelve people with three pictures each, and a stand-in for the service. */
async function setup(standIn: StandInOptions = {}) {
  const folder = await temporaryFolder();
  const pictures = Array.from({ length: 3 * PEOPLE }, (_, i) => {
    const person = `person${Math.floor(i / 3)}`;
    return [`people/${person}/${i % 3}.jpg`, `${person} picture ${'x'.repeat(i % 3)}`] as const;
  });
  await writeFiles(folder, Object.fromEntries(pictures));
  const service = await startStandIn(standIn);
  const out = join(folder, 'out');
  const options = ['--identities', join(folder, 'people'), '--out', out, '--url', service.url];
  return { folder, out, service, options, total: pictures.length };
}

describe('an interrupted calibration', () => {
  it.each(['SIGKILL', 'SIGINT'] as const)('resumes after %s', async (signal) => {
    const { out, service, options, total } = await setup({ delayMs: 30 });
    const { child, ended } = startCalibration(options);
    onTestFinished(() => void child.kill('SIGKILL'));
    await vi.waitFor(() => expect(cachedPictures(out).length).toBeGreaterThan(5), 60_000);
    child.kill(signal);
    const { code, stderr } = await ended;
    expect(code).toBe(signal === 'SIGINT' ? 130 : null);
    if (signal === 'SIGINT') expect(stderr).toContain('repeat the command to resume');
    const kept = cachedPictures(out);
    expect(kept.length).toBeGreaterThan(5);
    expect(kept.length).toBeLessThan(total);
    expect(existsSync(join(out, 'report.json'))).toBe(false);
    // An incomplete line, as a power failure leaves it.
    appendFileSync(join(out, 'embeddings.jsonl'), '{"sha256": "ab');

    const before = service.requests.length;
    const second = await runCalibration(options);
    expect(second.code).toBe(0);
    expect(second.stderr).toContain(`${total} of ${total} pictures, ${kept.length} from before`);
    expect(service.requests.length - before).toBe(total - kept.length);
    expect(readJson(out, 'report.json').pictures).toEqual({ total, embedded: total, failed: 0 });
    expect(existsSync(join(out, 'embeddings.jsonl'))).toBe(false);
  });

  it('keeps embeddings on request, readable by their owner only, and ignores those of another embedding space', async () => {
    let space = 'stand-in:1';
    const { out, service, options, total } = await setup({ space: () => space, quality: true });
    await runCalibration([...options, '--keep-embeddings'], { CALIBRATE_API_KEY: 'secret' });
    expect(new Set(service.requests.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer secret']),
    );
    expect(readJson(out, 'report.json').figures.quality.measure).toBe('quality.score');
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('quality score of the poorer picture');
    const path = join(out, 'embeddings.jsonl');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o644);
    space = 'stand-in:2';
    const { stderr } = await runCalibration([...options, '--keep-embeddings']);
    expect(service.requests).toHaveLength(2 * total);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(stderr).toContain('biometric data');
    expect(stderr).toContain('is kept, as requested');
    expect(readJson(out, 'thresholds.json').embedding_space).toBe('stand-in:2');
  });
});

describe('pictures that fail', () => {
  it('are listed with their error code and do not stop the calibration', async () => {
    const { folder, out, service, options, total } = await setup({
      maxImageSize: 200,
      delayMs: 20,
      refuse: (_, text) =>
        text.startsWith('person3 picture xx')
          ? { status: 422, code: 'NO_FACE_DETECTED' }
          : text.startsWith('person5')
            ? { status: 500 }
            : undefined,
    });
    await writeFiles(folder, {
      'people/person0/huge.jpg': 'x'.repeat(201),
      'people/person1/copy.jpg': readFileSync(join(folder, 'people/person1/0.jpg')),
    });
    const { code, stdout, stderr } = await runCalibration(options);
    expect(code).toBe(0);
    const report = readJson(out, 'report.json');
    const failed = report.failures.map(({ image, code }: Record<string, string>) => `${image} ${code}`);
    expect(failed).toEqual([
      'person0/huge.jpg IMAGE_TOO_LARGE',
      'person3/2.jpg NO_FACE_DETECTED',
      ...[0, 1, 2].map((picture) => `person5/${picture}.jpg HTTP_500`),
    ]);
    for (const line of failed) expect(stdout).toContain(line.replace(' ', ': '));
    expect(stderr).toContain('5 failed');
    expect(report.pictures).toEqual({ total: total + 2, embedded: total - 3, failed: 5 });
    // Eleven people are left; the copy of a picture of person1 gives one pair to leave out.
    expect(report.left_out).toMatchObject({ copies: 1 });
    expect(report.figures.people).toBe(PEOPLE - 1);
    const page = readFileSync(join(out, 'report.html'), 'utf8');
    for (const name of ['person3/2.jpg', 'NO_FACE_DETECTED']) expect(page).toContain(name);
    // Twice the workers of the stand-in.
    expect(service.inProgress.max).toBe(4);
  });
});

describe('a calibration ends with a sentence for', () => {
  it.each<[string, StandInOptions, string]>([
    [
      'a wrong API key',
      { refuse: () => ({ status: 401, code: 'UNAUTHORIZED' }) },
      'refuses to embed: status 401 (UNAUTHORIZED',
    ],
    [
      'a change of the model',
      { space: (index) => `stand-in:${index < 9 ? 1 : 2}` },
      'changed its model during the measurement, from stand-in:1 to stand-in:2',
    ],
    [
      'pictures that all fail',
      { refuse: () => ({ status: 422, code: 'NO_FACE_DETECTED' }) },
      'No pair of the same person is left: 36 of 36 pictures gave no embedding.',
    ],
  ])('%s', async (_, standIn, sentence) => {
    const { options, out } = await setup(standIn);
    const { code, stderr } = await runCalibration(options);
    expect(code).toBe(1);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(existsSync(join(out, 'report.json'))).toBe(false);
  });

  it('a URL that is not the service', async () => {
    const { options, service } = await setup();
    const { code, stderr } = await runCalibration([...options, '--url', `${service.url}/api`]);
    expect(code).toBe(1);
    expect(stderr).toContain('/api does not answer as the service: status 404');
  });

  it('wrong options, with the usage', async () => {
    const { code, stderr } = await runCalibration(['--pairs', 'x.csv']);
    expect(code).toBe(2);
    expect(stderr).toContain('--pairs needs --images.');
    expect(stderr).toContain('--keep-embeddings');
  });

  it('a pack that cannot be loaded', async () => {
    const { folder } = await setup();
    const { code, stderr } = await runCalibration(
      ['--identities', join(folder, 'people'), '--out', join(folder, 'out')],
      { MODEL_NAME: 'buffalo_l', MODELS_DIR: folder, MODEL_AUTO_DOWNLOAD: 'false' },
    );
    expect(code).toBe(1);
    expect(stderr).toContain('The service could not be started. The model pack could not be loaded.');
  });
});
