import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runModelsCommand } from '../../../src/cli/models/command.ts';
import { CATALOGUE } from '../../../src/packs/catalogue.ts';

/** The pack of real weights that the npm registry has. */
export const LITE = 'lite';

/**
 * MODELS_DIR with that pack: the folder that `LITE_MODELS_DIR` names, or one into which it was installed from the registry. Undefined
 * if there is neither; the output of the test says so.
 */
export async function liteModels(): Promise<string | undefined> {
  if (process.env.LITE_MODELS_DIR) return process.env.LITE_MODELS_DIR;
  if (!CATALOGUE.has(LITE)) return undefined;
  // Not of a test: it is called while tests are collected.
  const folder = mkdtempSync(join(tmpdir(), 'lite-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  let said = '';
  const write = (text: string) => (said += text);
  const code = await runModelsCommand(['install', LITE], {
    environment: { ...process.env, MODELS_DIR: folder, PREPARED_DIR: 'none' },
    stdout: { write },
    stderr: { write },
  });
  if (code === 0) return folder;
  console.log(`The pack ${LITE} could not be installed, so it is not tested: ${said}`);
  return undefined;
}
