import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { whyNot } from '../../src/engine/device.ts';
import { probeDevice } from '../../src/vision/device/probe.ts';
import { cosine } from '../support/numbers.ts';
import { blobsPng } from '../support/pictures.ts';
import { runProgram } from '../support/processes/child-process.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { swiftShader } from '../support/processes/swiftshader.ts';
import { FACES, hasRealWeights, MODELS, ROOT } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { CompareJob, DeviceAnswers } from './workers/compare-devices.ts';

/** One face each, large enough for the detector's small input. */
const PHOTOGRAPHS = ['lfw/Abdullah_0002.jpg', 'lfw/Abdoulaye_Wade_0004.jpg', 'lfw/Abdullah_Gul_0001.jpg'];

describe.skipIf(!swiftShader)('DEVICE=webgpu, on a GPU in software', () => {
  let service: ServiceProcess | undefined;
  afterEach(() => service?.end());
  const start = (environment: Record<string, string>) => {
    service = new ServiceProcess({ ...swiftShader, ...environment });
    return service;
  };

  it.skipIf(!hasRealWeights)(
    'gives the faces and embeddings of the CPU, with both networks whole on it',
    async () => {
      const job: CompareJob = {
        devices: ['webgpu', 'cpu'],
        pack: 'buffalo_sc_dq',
        modelsDir: MODELS,
        detectionSizes: [128],
        photographs: PHOTOGRAPHS.map((path) => join(FACES, path)),
      };
      const program = join(ROOT, 'build/test/system/workers/compare-devices.js');
      const { ended } = runProgram([program, JSON.stringify(job)], {
        env: { ...process.env, ...swiftShader },
      });
      const { code, stdout, stderr } = await ended;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const [gpu, cpu] = JSON.parse(stdout) as [DeviceAnswers, DeviceAnswers];
      expect(gpu.rewrites).toEqual({ detector: [{ pass: 'constant-scales', count: 2 }], recogniser: [] });
      const counts = ({ photographs }: DeviceAnswers) => photographs.map((faces) => faces.length);
      expect(counts(gpu)).toEqual(counts(cpu));
      expect(Math.min(...counts(cpu))).toBe(1);
      const found = gpu.photographs.flat();
      for (const [index, { score, box, embedding }] of cpu.photographs.flat().entries()) {
        const face = found[index] as (typeof found)[number];
        expect(face.score).toBeCloseTo(score, 4);
        expect(Math.max(...face.box.map((side, i) => Math.abs(side - (box[i] as number))))).toBeLessThan(
          0.01,
        );
        expect(cosine(face.embedding, embedding)).toBeGreaterThan(1 - 1e-5);
      }
    },
  );

  it('serves several images at a time, with faces in batches, and ends in order', async () => {
    const { address, model } = await ready(start({ DEVICE: 'webgpu', DETECTION_SIZES: '128' }));
    expect(model).toMatchObject({ device: 'webgpu', workers: 1 });
    expect(service?.log.find(({ facesPerRun }) => facesPerRun)).toMatchObject({ facesPerRun: 16 });
    const images = await Promise.all(Array.from({ length: 6 }, (_, seed) => blobsPng(seed)));
    const embed = (at: string) => Promise.all(images.map((image) => embedAt(at, image)));
    const onGpu = await embed(address);
    expect(await service?.stop()).toEqual({ code: 0, signal: null });

    const onCpu = await embed((await ready(start({ DETECTION_SIZES: '128' }))).address);
    for (const [index, { status, body }] of onCpu.entries()) {
      const answer = onGpu[index] as (typeof onCpu)[number];
      expect(answer.status).toBe(status);
      expect(answer.body.bbox).toEqual(body.bbox);
      if (status === 200) expect(cosine(answer.body.embedding, body.embedding)).toBeGreaterThan(1 - 1e-5);
    }
    expect(onCpu.some(({ status }) => status === 200)).toBe(true);
  });

  it('refuses a network that cannot run whole on it, rather than run a part on the CPU', async () => {
    const modelsDir = await temporaryFolder();
    // Its detector computes with integers, and as a pack of one's own it is not exempt.
    cpSync(join(ROOT, 'models/synthetic'), join(modelsDir, 'mine'), { recursive: true });
    const refused = start({ DEVICE: 'webgpu', MODEL_NAME: 'mine', MODELS_DIR: modelsDir });
    const address = await refused.listening();
    const health = async () => (await fetch(`${address}/v1/health`)).json();
    await expect.poll(health).not.toMatchObject({ status: 'starting' });
    expect(await health()).toMatchObject({ status: 'unhealthy', model_loaded: false });
    expect(refused.stdout).toContain('detector.onnx has nodes that DEVICE=webgpu cannot run.');
  });

  it('works, but is not what DEVICE=auto takes', async () => {
    Object.assign(process.env, swiftShader);
    const probe = await probeDevice('webgpu');
    expect(probe).toMatchObject({ works: true });
    expect(whyNot(probe)).toMatch(/^It is slower than one thread of the processor by a factor of \d+\.$/);
  });
});

async function ready(service: ServiceProcess) {
  const address = await service.ready();
  const model = await (await fetch(`${address}/v1/model-info`)).json();
  return { address, model };
}

async function embedAt(address: string, image: Uint8Array<ArrayBuffer>) {
  const headers = { 'Content-Type': 'image/png' };
  const answer = await fetch(`${address}/v1/embed`, { method: 'POST', headers, body: image });
  return { status: answer.status, body: (await answer.json()) as { bbox: unknown; embedding: number[] } };
}
