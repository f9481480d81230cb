import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAX_LINE_BYTES } from '../../src/cli/rekey/lines.ts';
import { readOptions } from '../../src/cli/rekey/options.ts';
import { rekeyLines } from '../../src/cli/rekey/rekey-lines.ts';
import { ProtectingTransform } from '../../src/protection/transform.ts';
import { encodeEmbedding } from '../../src/similarity/embedding.ts';
import { key, OTHER_SECRET, SECRET } from '../protection/keys.ts';
import { seededRandom } from '../support/numbers.ts';
import { ROOT } from '../support/shared.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SPACE = 'buffalo_l:4c06341c33c2';
const a = new ProtectingTransform(key('a'), 128);
const b = new ProtectingTransform(key('b', OTHER_SECRET), 128);
const random = seededRandom(1);
const plain = Array.from({ length: 3 }, () => Float32Array.from({ length: 128 }, () => random() - 0.5));

const lineOf = (embedding: Float32Array, embedding_space: string, more: object = {}) =>
  `${JSON.stringify({ id: 7, embedding: encodeEmbedding(embedding, 'base64'), embedding_space, ...more })}\n`;

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  writeFileSync(join(folder, 'keys'), `a=${SECRET}\nb=${OTHER_SECRET}\n`);
});

function rekey(options: string[], input: string | Buffer, env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'dist/cli/rekey.js'), ...options],
    { cwd: folder, env, input, encoding: 'utf8', maxBuffer: 2 ** 26 },
  );
  for (const secret of [SECRET, OTHER_SECRET]) expect(stdout + stderr).not.toContain(secret.slice(0, 12));
  return { status, stderr, lines: stdout.split('\n').filter((line) => line !== '') };
}

function numbersOf(line: string | undefined): number[] {
  const { embedding } = JSON.parse(line ?? '{}');
  if (typeof embedding !== 'string') return embedding;
  return [...new Float32Array(new Uint8Array(Buffer.from(embedding, 'base64')).buffer)];
}

function expectNear(found: number[], expected: ArrayLike<number>) {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of found.entries())
    expect(Math.abs(value - (expected[i] as number))).toBeLessThan(1e-6);
}

/** From plain to a, in this process. */
async function rekeyHere(input: string | Buffer): Promise<{ lines: string[]; failure: string | undefined }> {
  const lines: string[] = [];
  const options = { from: undefined, to: key('a') };
  try {
    for await (const line of rekeyLines(asStream(input), options, { lines: 0 })) lines.push(line);
    return { lines, failure: undefined };
  } catch (error) {
    return { lines, failure: (error as Error).message };
  }
}

/** In pieces that end anywhere. */
async function* asStream(input: string | Buffer) {
  const bytes = Buffer.from(input);
  for (let at = 0; at < bytes.length; at += 997) yield bytes.subarray(at, at + 997);
}

describe('npm run rekey', () => {
  it('turns embeddings of one key into those of another, and into plain ones and back', () => {
    const input = plain.map((embedding) => lineOf(a.protect(embedding), `${SPACE}:k-a`)).join('');
    const toB = rekey(['--from', 'a', '--to', 'b', '--key-file', 'keys'], input);
    expect(toB).toMatchObject({ status: 0, stderr: '3 embeddings, from a to b.\n' });
    for (const [i, embedding] of plain.entries()) {
      expectNear(numbersOf(toB.lines[i]), b.protect(embedding));
      expect(JSON.parse(toB.lines[i] as string)).toMatchObject({ id: 7, embedding_space: `${SPACE}:k-b` });
    }
    const toPlain = rekey(
      ['--from', 'b', '--to', 'plain', '--key-file', 'keys'],
      `${toB.lines.join('\n')}\n`,
    );
    expectNear(numbersOf(toPlain.lines[0]), plain[0] as Float32Array);
    expect(JSON.parse(toPlain.lines[0] as string).embedding_space).toBe(SPACE);
    const back = rekey(['--from', 'plain', '--to', 'a'], toPlain.lines.join('\n'), {
      EMBEDDING_KEY: `a=${SECRET}`,
    });
    expectNear(numbersOf(back.lines[2]), a.protect(plain[2] as Float32Array));
  });

  it('keeps the form of an embedding, and all other members to the last digit', () => {
    const numbers = JSON.stringify([...(plain[0] as Float32Array)]);
    const before = String.raw`{ "id" : 12345678901234567890, "tags":["}",{"embedding":[1]}], "embedding" : ${numbers} ,"note":"a \"b\\" , "embedding_space":"${SPACE}","x":null }`;
    const { status, lines } = rekey(['--from', 'plain', '--to', 'a', '--key-file', 'keys'], before);
    expect(status).toBe(0);
    const after = JSON.stringify(encodeEmbedding(a.protect(plain[0] as Float32Array), 'float'));
    expect(lines).toEqual([before.replace(numbers, after).replace(SPACE, `${SPACE}:k-a`)]);
  });

  it.each<[string, string, string]>([
    ['no JSON', '{"secret', 'it is not a JSON object'],
    ['a list', '[1]', 'it is not a JSON object'],
    ['no embedding', `{"embedding_space":"${SPACE}"}`, 'it has no embedding'],
    ['no space', '{"embedding":[1,2]}', 'it has no embedding_space'],
    [
      'two embeddings',
      `{"embedding":[1],"embedding":[1],"embedding_space":"${SPACE}"}`,
      'it has embedding twice',
    ],
    [
      'another key',
      `{"embedding":[1],"embedding_space":"${SPACE}:k-b"}`,
      'its embedding_space is not of the key',
    ],
    [
      'other numbers',
      `{"embedding":[1,"x"],"embedding_space":"${SPACE}"}`,
      'its embedding is neither finite numbers',
    ],
    [
      'infinity',
      `{"embedding":[1e999],"embedding_space":"${SPACE}"}`,
      'its embedding is neither finite numbers',
    ],
    [
      'numbers beyond float32',
      `{"embedding":[${Array(64).fill(1e300)}],"embedding_space":"${SPACE}"}`,
      'its embedding has numbers too large for float32',
    ],
    [
      'broken base64',
      `{"embedding":"secret*","embedding_space":"${SPACE}"}`,
      'its embedding is neither finite',
    ],
    [
      'another size',
      `{"embedding":[1,2],"embedding_space":"${SPACE}"}`,
      'its embedding has 2 numbers; accepted are 64',
    ],
  ])(
    'stops at a line with %s: the lines before it are written, and it is named without its content',
    async (_, bad, problem) => {
      const { lines, failure } = await rekeyHere(`${lineOf(plain[0] as Float32Array, SPACE)}\n${bad}\n`);
      expect(lines).toHaveLength(1);
      expect(failure).toContain(`Line 3: ${problem}`);
      expect(failure).not.toContain('secret');
    },
  );

  it('refuses a line that is too long, or not UTF-8', async () => {
    expect((await rekeyHere(' '.repeat(MAX_LINE_BYTES + 1))).failure).toBe(
      `Line 1 has more than ${MAX_LINE_BYTES} bytes.`,
    );
    expect((await rekeyHere(Buffer.from([0x7b, 0xff, 0x7d]))).failure).toBe('Line 1 is not UTF-8.');
  });

  it('says by its exit code that a line is wrong, or an option', () => {
    const good = lineOf(plain[0] as Float32Array, SPACE);
    const failed = rekey(['--from', 'plain', '--to', 'a', '--key-file', 'keys'], `${good}{}\n${good}`);
    expect(failed).toMatchObject({
      status: 1,
      stderr: 'Line 2: it has no embedding. 1 embeddings were rekeyed before.\n',
    });
    expect(failed.lines).toHaveLength(1);
    const wrong = rekey(['--from', 'plain', '--to', 'a'], good);
    expect(wrong).toMatchObject({ status: 2, lines: [] });
    expect(wrong.stderr).toContain('npm run -s rekey -- --from NAME --to NAME');
  });

  it.each<[string[], string]>([
    [['--from', 'a'], '--from and --to are needed.'],
    [['--from', 'a', '--to', 'a'], '--from and --to are the same.'],
    [
      ['--from', 'plain', '--to', 'c', '--key-file', 'keys'],
      '--to names a key that is not given; known are plain, a, b.',
    ],
    [
      ['--from', 'a', '--to', 'b', '--key-file', 'none'],
      '--key-file names a file that cannot be read (ENOENT).',
    ],
    [['--from', 'a', '--to', 'b', '--key', 'x'], "Unknown option '--key'"],
    [
      ['--from', 'a', '--to', 'plain', '--key-file', 'keys', '--key-file', 'others'],
      'Two secrets are given for the key a.',
    ],
  ])('%j is wrong usage', (options, sentence) => {
    writeFileSync(join(folder, 'others'), `a=${OTHER_SECRET}\n`);
    const inFolder = options.map((option, i) =>
      options[i - 1] === '--key-file' ? join(folder, option) : option,
    );
    expect(() => readOptions(inFolder, {})).toThrow(sentence);
  });

  it('does not show a key that is given in the place of something else', () => {
    const given = `a=${SECRET}`;
    const sides = ['--from', 'plain', '--to', 'a'];
    const positional = () => readOptions([...sides, given], {});
    expect(positional).toThrow('There is an argument that belongs to no option.');
    const file = () => readOptions([...sides, '--key-file', given], {});
    expect(file).toThrow('--key-file names a file that cannot be read (ENOENT).');
    for (const attempt of [positional, file]) expect(attempt).not.toThrow(SECRET);
  });

  it('reads no further than what has been taken from it', async () => {
    let read = 0;
    async function* input() {
      for (; read < 1_000; read++) yield Buffer.from(lineOf(plain[0] as Float32Array, SPACE));
    }
    const progress = { lines: 0 };
    const output = rekeyLines(input(), { from: undefined, to: key('a') }, progress);
    for (let i = 0; i < 5; i++) await output.next();
    expect(read).toBeLessThanOrEqual(5);
    expect(progress.lines).toBe(4);
    await output.return(undefined);
  });
});
