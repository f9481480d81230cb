import { describe, it, onTestFinished } from 'vitest';
import { testConfig } from '../support/engine/engines.ts';
import { startRealEngine } from '../support/engine/real-engine.ts';
import { assembleApp } from '../support/http/app.ts';
import { expectExamplesToSucceed } from '../support/http/openapi.ts';
import { hasOpenWeights, hasRealWeights, OPEN_PACK } from '../support/shared.ts';

/* The pictures in the examples of the OpenAPI document are drawings: real detectors have to find their faces. */

describe('the examples of the OpenAPI document succeed as they are', () => {
  it.skipIf(!hasRealWeights)('with SCRFD', () => expectSuccessWith('buffalo_sc_dq'));
  it.skipIf(!hasOpenWeights)('with YuNet', () => expectSuccessWith(OPEN_PACK));
});

async function expectSuccessWith(pack: string): Promise<void> {
  const engine = await startRealEngine({ MODEL_NAME: pack });
  onTestFinished(() => engine.close());
  await expectExamplesToSucceed(assembleApp(testConfig(), engine).app);
}
