import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { StartupError } from '../../../src/errors.ts';
import { ApiKeys } from '../../../src/http/auth/api-keys.ts';
import { silentLog } from '../../support/engine/engines.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const KEY = 'correct-horse-battery-staple';
const OTHER = 'another-key-0123456789==';
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

const nameOf = (keys: ApiKeys, key: string) => keys.identify(new Headers({ 'X-API-Key': key }));

const load = (API_KEYS: string) => ApiKeys.load({ API_KEYS, API_KEYS_FILE: '' }, silentLog);

describe('API_KEYS', () => {
  it('gives each key a name for the log: the configured one, or the beginning of its digest', () => {
    const keys = load(`door=${KEY},back.office=sha256:${sha256('k'.repeat(20))},${OTHER}`);
    expect(nameOf(keys, KEY)).toBe('door');
    expect(nameOf(keys, 'k'.repeat(20))).toBe('back.office');
    expect(nameOf(keys, OTHER)).toBe(`sha256:${sha256(OTHER).slice(0, 8)}`);
    expect(nameOf(keys, 'unknown')).toBeUndefined();
  });

  it.each(['short', 'door=short', 'sha256:123', `door=sha256:${'g'.repeat(64)}`, `${KEY} ${KEY}`])(
    'refuses the malformed key %s by its position, without quoting it',
    (entry) => {
      const read = () => load(`${KEY},${entry}`);
      expect(read).toThrow(StartupError);
      expect(read).toThrow('API_KEYS has a malformed key at position 2');
      expect(read).not.toThrow(entry);
    },
  );
});

describe('API_KEYS without a key', () => {
  it.each([',', ' , ,', '# comment', '\n'])(
    '(%j) fails the start, so that the service does not run unprotected',
    (value) => {
      expect(() => load(value)).toThrow(
        'API_KEYS holds no key; accepted is at least one, or no value at all.',
      );
    },
  );

  it('beside others is told', () => {
    const warn = vi.spyOn(silentLog, 'warn');
    onTestFinished(() => warn.mockRestore());
    expect(load(`${KEY},,`).count).toBe(1);
    expect(warn).toHaveBeenCalledExactlyOnceWith({ keys: 1, empty: 2 }, expect.any(String));
  });
});

describe('API_KEYS_FILE', () => {
  let file: string;

  beforeEach(async () => {
    // The timer that reads the file again.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    file = join(await temporaryFolder(), 'keys');
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function follow(path = file): ApiKeys {
    const keys = ApiKeys.load({ API_KEYS: '', API_KEYS_FILE: path }, silentLog);
    onTestFinished(() => keys.close());
    return keys;
  }

  it('reads keys and skips comments', async () => {
    await writeFile(file, `# of the door\ndoor=${KEY}\n\n`);
    expect(nameOf(follow(), KEY)).toBe('door');
  });

  it('replaces the keys within five seconds when the file changes', async () => {
    await writeFile(file, `door=${KEY}\n`);
    const keys = follow();
    await writeFile(file, `door=${KEY}\nnew=${OTHER}\n`);
    vi.advanceTimersByTime(5_000);
    expect([nameOf(keys, KEY), nameOf(keys, OTHER)]).toEqual(['door', 'new']);
    await writeFile(file, `new=${OTHER}\n`);
    vi.advanceTimersByTime(5_000);
    expect([nameOf(keys, KEY), nameOf(keys, OTHER)]).toEqual([undefined, 'new']);
  });

  it('keeps the keys while the changed file is malformed', async () => {
    await writeFile(file, `door=${KEY}\n`);
    const keys = follow();
    await writeFile(file, 'oops');
    vi.advanceTimersByTime(5_000);
    expect([nameOf(keys, KEY), nameOf(keys, OTHER), nameOf(keys, 'oops')]).toEqual([
      'door',
      undefined,
      undefined,
    ]);
    await writeFile(file, `new=${OTHER}\n`);
    vi.advanceTimersByTime(5_000);
    expect([nameOf(keys, KEY), nameOf(keys, OTHER)]).toEqual([undefined, 'new']);
  });

  it('fails the start when the file is missing or has no key, so that the service does not run unprotected', async () => {
    expect(() => follow(`${file}.none`)).toThrow(/ENOENT/);
    await writeFile(file, '# none\n');
    expect(() => follow()).toThrow('API_KEYS_FILE holds no key');
  });
});
