import { expect, it } from 'vitest';
import { changedSettings } from '../../src/config/effective.ts';
import { loadConfig } from '../../src/config/load.ts';

it('shows no setting that has its default', () => {
  expect(changedSettings(loadConfig({}))).toEqual({});
  expect(changedSettings(loadConfig({ PORT: '8000', DETECTION_SIZES: '' }))).toEqual({});
});

it('shows values, of secrets their number, and no password of a URL', () => {
  const environment = {
    PORT: '9000',
    DETECTION_SIZES: '640',
    MODEL_BASE_URL: 'https://user:pa@ss@mirror.example/packs?token=hidden',
    API_KEYS: 'a=0123456789abcdef0,0123456789abcdef1,',
    API_KEYS_FILE: '/run/secrets/keys',
    METRICS_TOKEN: '0123456789abcdef2',
  };
  const changed = changedSettings(loadConfig(environment));
  expect(changed).toEqual({
    PORT: 9000,
    DETECTION_SIZES: [640],
    MODEL_BASE_URL: 'https://…@mirror.example/packs?…',
    API_KEYS: 2,
    API_KEYS_FILE: '/run/secrets/keys',
    METRICS_TOKEN: 1,
  });
  expect(JSON.stringify(changed)).not.toMatch(/0123456789|pa@ss|hidden/);
});

it('shows what became of a value', () => {
  expect(changedSettings(loadConfig({ WORKERS: '1', MAX_QUEUE: '4' }))).toMatchObject({ MAX_BATCH_SIZE: 5 });
});
