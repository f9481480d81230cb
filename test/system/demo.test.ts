import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readNpmConfig } from '../../src/packs/download/npm/npm-config.ts';
import { endChild, spawnChild } from '../support/processes/child-process.ts';
import { freePort } from '../support/processes/free-port.ts';
import { hasRealWeights, photo, ROOT } from '../support/shared.ts';
import { filesIn, temporaryFolder } from '../support/temporary-folder.ts';

const PACKAGE = 'faceplugin-face-recognition-js';

/** Whether the registry of this machine has the package. */
async function registryAnswers(): Promise<boolean> {
  const config = readNpmConfig();
  const url = new URL(PACKAGE, config.registryOf(PACKAGE));
  const authorization = config.authorizationFor(url);
  return fetch(url, {
    headers: authorization === undefined ? {} : { authorization },
    signal: AbortSignal.timeout(10_000),
  }).then(
    ({ ok }) => ok,
    () => false,
  );
}

const available = await registryAnswers();
const note = available ? '' : ' (skipped: the npm registry does not answer)';

/** `npm run demo` with an empty MODELS_DIR. */
async function startDemo(environment: Record<string, string> = {}) {
  const modelsDir = await temporaryFolder();
  const port = await freePort();
  const child = spawnChild(process.execPath, [join(ROOT, 'dist/cli/demo.js')], {
    cwd: modelsDir,
    env: {
      ...process.env,
      MODELS_DIR: join(modelsDir, 'models'),
      PREPARED_DIR: 'none',
      HOST: '127.0.0.1',
      PORT: String(port),
      WORKERS: '1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => endChild(child));
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output.text += chunk;
    });
  }
  return { child, output, modelsDir: join(modelsDir, 'models'), url: `http://127.0.0.1:${port}` };
}

async function until(child: ChildProcess, output: { text: string }, pattern: RegExp): Promise<void> {
  while (!pattern.test(output.text)) {
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}: ${output.text}`);
    await sleep(50);
  }
}

describe('npm run demo', () => {
  it.skipIf(!available || !hasRealWeights)(
    `serves an embedding with weights of the npm registry, and says where to look${note}`,
    async () => {
      const { child, output, modelsDir, url } = await startDemo();
      await until(child, output, /The service is ready\. .*\n[\s\S]*curl/);
      expect(output.text).toContain(`Try it in a browser: ${url}/\n`);
      expect(await filesIn(modelsDir)).toEqual([
        'lite/fr_detect.onnx',
        'lite/fr_feature.onnx',
        'lite/fr_landmark.onnx',
      ]);
      const response = await fetch(`${url}/v1/embed`, {
        method: 'POST',
        headers: { 'Content-Type': 'image/jpeg' },
        body: photo('lfw/Abdullah_0003.jpg'),
      });
      const answer = (await response.json()) as { embedding: number[]; model: object };
      expect(answer).toMatchObject({ face_detected: true, model: { name: 'lite', embedding_size: 512 } });
      expect(Math.hypot(...answer.embedding)).toBeCloseTo(1, 5);
      const exit = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      expect(await exit).toBe(0);
    },
  );

  it('says in a sentence that the registry does not answer', async () => {
    const { child, output } = await startDemo({ npm_config_registry: 'http://127.0.0.1:9/' });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(1);
    expect(output.text).toMatch(
      /needs the pack lite from the npm registry, which could not be had\. .*ECONNREFUSED/,
    );
    expect(output.text).not.toMatch(/Unexpected|\n {4}at /);
  });
});
