import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERROR_CATALOGUE, type ErrorCode } from '../../src/errors.ts';
import { ServiceProcess } from '../support/processes/service-process.ts';
import { codeBlocks, DOCUMENTS } from './documents.ts';
import { expectSameShape } from './example-answer.ts';
import { createReaderFolder } from './reader-folder.ts';
import { READER_SETTINGS, ShellService } from './shell-service.ts';

/** What the documents print between commands and answers: the blocks of one document in their order. */
const documents = DOCUMENTS.map((path) => {
  const blocks = codeBlocks(path);
  const commands = blocks.flatMap((block, index) => {
    const next = blocks[index + 1];
    const answer = next?.heading === block.heading && /^jsonl?$/.test(next.language) ? next : undefined;
    return block.language === 'sh' ? { ...block, answer } : [];
  });
  return { path, commands, runnable: commands.filter(({ notRun }) => notRun === undefined) };
}).filter(({ commands }) => commands.length > 0);

const missing = ['bash', 'curl', 'openssl'].filter((program) => spawnSync(program, ['--version']).error);
const note = missing.length > 0 ? ` (skipped: no ${missing.join(', no ')} on this machine)` : '';

/** Reports the status of each answer, and ends each answer with a line break. */
const CURL = String.raw`curl() { command curl -sS --write-out '\n%{stderr}HTTP %{http_code}\n' "$@"; }`;

let service: ServiceProcess;
let sharedAddress: string;

beforeAll(async () => {
  service = new ServiceProcess();
  sharedAddress = new URL(await service.ready()).host;
});

afterAll(() => service.kill('SIGTERM'));

describe.skipIf(missing.length > 0).each(documents.filter(({ runnable }) => runnable.length > 0))(
  `the commands of $path${note}`,
  (document) => {
    let folder: string;
    /** The service that the last command started, for the commands of the same section. */
    let started: { heading: string; service: ShellService } | undefined;

    beforeAll(async () => {
      folder = await createReaderFolder();
    });

    afterAll(async () => {
      await started?.service.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    it.each(document.runnable)('$place run as printed', async ({ text, heading, answer }) => {
      if (/\bnpm start$/.test(text.trimEnd())) {
        await started?.service.stop();
        started = { heading, service: new ShellService(text, folder) };
        await started.service.ready();
        return;
      }
      const address = started?.heading === heading ? started.service.address : sharedAddress;
      const { status, stdout, stderr } = spawnSync(
        'bash',
        ['--norc', '-euo', 'pipefail', '-c', `${CURL}\n${text.replaceAll('localhost:8000', address)}`],
        { cwd: folder, env: READER_SETTINGS, encoding: 'utf8', timeout: 110_000 },
      );
      expect(status, stderr + stdout).toBe(0);

      const answers = stdout.split('\n').filter((line) => line.trim() !== '');
      const shown = answer && readShown(answer.text);
      const statuses = [...stderr.matchAll(/^HTTP (\d+)$/gm)].map(([, code]) => Number(code));
      expect(statuses.length > 0, 'a request was sent').toBe(text.includes('curl'));
      for (const code of statuses) expect(code, stdout.slice(0, 1000)).toBe(expectedStatus(shown?.[0]));
      // A command that sends nothing is followed by the example of a file, not by an answer.
      if (answer?.language === 'json' && statuses.length > 0)
        expectSameShape(shown?.[0], JSON.parse(answers.at(-1) ?? ''));
      if (answer?.language === 'jsonl') expectSameLines(shown ?? [], answers);
    });
  },
);

describe.skipIf(missing.length > 0)(`a block of commands that is not run${note}`, () => {
  const skipped = documents.flatMap(({ commands }) => commands.filter(({ notRun }) => notRun !== undefined));

  it.each(skipped)('$place ($notRun) is a valid script', ({ text }) => {
    expect(spawnSync('bash', ['-n', '-c', text], { encoding: 'utf8' }).stderr).toBe('');
  });
});

/** One value, or one a line. */
function readShown(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
  }
}

function expectedStatus(shown: unknown): number {
  const code = (shown as { error_code?: ErrorCode } | undefined)?.error_code;
  return code === undefined ? 200 : ERROR_CATALOGUE[code].status;
}

/** Lines come in any order, but the last one. */
function expectSameLines(shown: unknown[], answers: string[]): void {
  const byIndex = (p: unknown, q: unknown) =>
    ((p as { index?: number }).index ?? Infinity) - ((q as { index?: number }).index ?? Infinity);
  const actual = answers.map((line) => JSON.parse(line));
  expect(actual.at(-1)).toHaveProperty('done', true);
  expectSameShape(shown.toSorted(byIndex), actual.toSorted(byIndex));
}
