import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ROOT } from '../support/shared.ts';
import { subject } from './pictures/ordinary.ts';
import { CAMPAIGN, report, reportSkipped } from './support/campaign.ts';
import { Target } from './support/target.ts';

const VERSION = '4.32.5';
const KEY = 'correct-horse-battery-staple';
const CONTRACT = join(ROOT, 'test/soak/contract');
/** For Schemathesis: the key in either of the two places. */
const WITH_KEY = `\n[auth.openapi.apiKey]\napi_key = "${KEY}"\n\n[auth.openapi.bearer]\nbearer = "${KEY}"\n`;
const HOUR_MS = 3_600_000;

const folder = mkdtempSync(join(tmpdir(), 'contract-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The program, installed into a folder of its own; or why it is not there. */
function installSchemathesis(): { program: string } | { reason: string } {
  // Kept when SOAK_VENV names a folder.
  const venv = process.env.SOAK_VENV || join(folder, 'venv');
  const program = join(venv, 'bin/st');
  if (existsSync(program)) return { program };
  const made = spawnSync('python3', ['-m', 'venv', venv], { encoding: 'utf8' });
  if (made.status !== 0)
    return { reason: `Python cannot make a virtual environment: ${made.error?.message ?? made.stderr}` };
  const installed = spawnSync(join(venv, 'bin/pip'), ['install', '--quiet', `schemathesis==${VERSION}`], {
    encoding: 'utf8',
  });
  return installed.status === 0
    ? { program }
    : { reason: `Schemathesis cannot be installed: ${installed.stderr}` };
}

const installed = installSchemathesis();
if ('reason' in installed) reportSkipped('Contract', installed.reason);

describe.skipIf('reason' in installed)('the service and its own OpenAPI document', () => {
  let target: Target;
  afterEach(() => target.end());

  it.each([
    // Without keys in force, the document's security schemes are an offer.
    ['without keys', {}, '', ['--exclude-checks', 'ignored_auth']],
    ['with keys', { API_KEYS: `caller=${KEY}` }, WITH_KEY, []],
  ] as const)('agree (%s)', { timeout: HOUR_MS }, async (name, environment, access, options) => {
    target = await new Target(environment).start();
    const picture = join(folder, 'picture.jpg');
    writeFileSync(picture, await subject(200, 200).jpeg().toBuffer());
    const configuration = join(folder, 'schemathesis.toml');
    writeFileSync(configuration, readFileSync(join(CONTRACT, 'schemathesis.toml'), 'utf8') + access);
    const { program } = installed as { program: string };
    const child = spawn(
      program,
      [
        ...['--no-color', '--config-file', configuration, 'run', `${target.address}/openapi.json`],
        ...['--checks', 'all', '--max-examples', String(CAMPAIGN.examples), '--seed', String(CAMPAIGN.seed)],
        ...['--continue-on-failure', '--request-timeout', '60', ...options],
      ],
      // The database of examples of the program goes into the folder.
      {
        cwd: folder,
        env: { ...process.env, PYTHONPATH: CONTRACT, SCHEMATHESIS_HOOKS: 'hooks', SOAK_PICTURE: picture },
      },
    );
    const [output, errors, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    const summary = output.slice(output.lastIndexOf('SUMMARY'));
    report(`Contract, ${name}`, {
      version: VERSION,
      seed: CAMPAIGN.seed,
      examples: CAMPAIGN.examples,
      code,
      summary: summary.split('\n'),
    });
    expect(target.hasEnded).toBe(false);
    expect(code, `${output}${errors}`).toBe(0);
    expect(target.complaints).toEqual([]);
  });
});
