import { afterEach, describe, expect, it } from 'vitest';
import { ServiceProcess } from '../support/processes/service-process.ts';

const KEY = 'correct-horse-battery-staple';

let service: ServiceProcess;
afterEach(() => service.end());

describe('a service that would be open to everyone by mistake', () => {
  it.each([
    [{ API_KEYS: ',' }, 'API_KEYS holds no key; accepted is at least one, or no value at all.'],
    [{ REQUIRE_API_KEYS: 'true' }, 'REQUIRE_API_KEYS is true; it needs API_KEYS or API_KEYS_FILE.'],
    [
      { API_KEY: KEY },
      'API_KEY is no setting, and no API keys are configured: every caller would be served. API_KEYS may be meant. ' +
        'To start without keys, set REQUIRE_API_KEYS=false.',
    ],
    [{ REQUIRE_API_KEY: 'true' }, 'REQUIRE_API_KEY is no setting, and no API keys are configured'],
  ])('(%j) does not start', async (environment, sentence) => {
    service = new ServiceProcess(environment);
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toContain(sentence);
    expect(service.stderr.trim().split('\n')).toHaveLength(1);
    expect(service.stderr).not.toContain(KEY);
  });

  it.each([
    { API_KEY: KEY, REQUIRE_API_KEYS: 'false' },
    { API_KEY: KEY, API_KEYS: `door=${KEY}`, REQUIRE_API_KEYS: 'true' },
    { MY_API_KEYS: KEY },
  ])('(%j) starts, and is warned of', async (environment) => {
    service = new ServiceProcess(environment);
    await service.listening();
    const [variable] = Object.keys(environment);
    await expect.poll(() => service.stdout).toContain(`${variable} is no setting; API_KEYS may be meant`);
  });
});

describe('the log of the start', () => {
  it('has one line with the settings in force, secrets as numbers', async () => {
    service = new ServiceProcess({ API_KEYS: `door=${KEY},${KEY}2`, MAX_QUEUE: '7', MAX_QUEU: '8' });
    await service.listening();
    const line = service.log.filter(({ settings }) => settings !== undefined);
    expect(line).toHaveLength(1);
    expect(line[0]).toMatchObject({
      settings: { MODEL_NAME: 'synthetic', API_KEYS: 2, MAX_QUEUE: 7, SHUTDOWN_DELAY_MS: 0 },
      apiKeys: 2,
    });
    expect(line[0]?.settings).not.toHaveProperty('LOG_LEVEL');
    expect(service.log.find(({ variable }) => variable === 'MAX_QUEU')).toMatchObject({
      setting: 'MAX_QUEUE',
      level: 40,
    });
    expect(service.stdout).not.toContain(KEY);
  });
});
