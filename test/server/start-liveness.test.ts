import { afterEach, describe, expect, it } from 'vitest';
import { livenessNetwork } from '../support/packs/liveness-networks.ts';
import { onnxFile, RECOGNISER_SHAPE } from '../support/packs/tiny-packs.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { temporaryFolder, writeFiles } from '../support/temporary-folder.ts';

let service: ServiceProcess;
afterEach(() => service.end());

describe('a start with liveness', () => {
  const start = async (settings: Record<string, string>) => {
    const MODELS_DIR = await temporaryFolder();
    await writeFiles(MODELS_DIR, {
      'mean.onnx': livenessNetwork('insightface'),
      'other.onnx': onnxFile(RECOGNISER_SHAPE),
    });
    service = new ServiceProcess({ MODELS_DIR, ...settings });
  };

  it.each([
    [{ LIVENESS: 'maybe' }, 'LIVENESS is "maybe"; accepted is off, report, require.'],
    [{ LIVENESS: 'report' }, 'LIVENESS is report; it needs LIVENESS_MODEL'],
    [{ LIVENESS_THRESHOLD: '0' }, 'LIVENESS_THRESHOLD is "0"; accepted is a number above 0, up to 1.'],
    [
      { LIVENESS: 'require', LIVENESS_MODEL: 'mean.onnx' },
      'LIVENESS is require, and nothing says from which score a face is live.',
    ],
    [{ LIVENESS_MODEL: 'none.onnx' }, 'LIVENESS_MODEL is "none.onnx". There is no file '],
    [{ LIVENESS_MODEL: 'other.onnx' }, 'other.onnx is not a liveness network that this service knows'],
    [
      { LIVENESS_MODEL: 'insightface-liveness', MODEL_AUTO_DOWNLOAD: 'false' },
      'insightface-liveness is published at https://',
    ],
  ])('is refused with one sentence: %o', async (settings, sentence) => {
    await start(settings as Record<string, string>);
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toContain(sentence);
    expect(service.stderr.trim().split('\n')).toHaveLength(1);
  });

  it('is possible with a threshold, and logs the model', async () => {
    await start({ LIVENESS: 'require', LIVENESS_MODEL: 'mean.onnx', LIVENESS_THRESHOLD: '0.8' });
    await service.ready();
    expect(service.log.find(({ msg }) => msg === 'the model pack is loaded')).toMatchObject({
      liveness: expect.stringMatching(/^insightface:/),
      livenessThreshold: 0.8,
    });
  });
});
