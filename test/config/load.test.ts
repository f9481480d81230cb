import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { StartupError } from '../../src/errors.ts';

describe('loadConfig', () => {
  it('has a default for every setting', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({
      PORT: 8000,
      MODEL_NAME: 'buffalo_l',
      MODELS_DIR: './models',
      DETECTION_THRESHOLD: 0.5,
      DETECTION_SIZES: undefined,
      MAX_IMAGE_SIZE: 10_485_760,
      DEVICE: 'cpu',
    });
    expect(config.WORKERS).toBeGreaterThanOrEqual(1);
  });

  it('treats an empty variable as unset', () => {
    expect(loadConfig({ PORT: '', MODEL_NAME: ' ' })).toEqual(loadConfig({}));
  });

  it('accepts every default as an explicit value', () => {
    const written = Object.entries(loadConfig({})).map(([name, value]) => [name, String(value ?? '')]);
    expect(loadConfig(Object.fromEntries(written))).toEqual(loadConfig({}));
  });

  it.each([
    ['PORT', 'abc', 'PORT is "abc"; accepted is a whole number from 0 to 65535.'],
    ['PORT', '65536', 'PORT is "65536"'],
    ['WORKERS', '0', 'WORKERS is "0"'],
    ['WORKERS', '1.5', 'WORKERS is "1.5"'],
    ['DETECTION_THRESHOLD', '1.01', 'DETECTION_THRESHOLD is "1.01"; accepted is a number from 0 to 1.'],
    ['DETECTION_THRESHOLD', '-0.1', 'DETECTION_THRESHOLD is "-0.1"'],
    [
      'DETECTION_SIZES',
      '128,100',
      'DETECTION_SIZES is "128,100"; accepted is up to four different multiples of 32',
    ],
    ['DETECTION_SIZES', '640,640', 'DETECTION_SIZES is "640,640"'],
    ['BATCH_WINDOW_MS', '1001', 'BATCH_WINDOW_MS is "1001"; accepted is a whole number from 0 to 1000.'],
    ['DEVICE', 'gpu', 'DEVICE is "gpu"; accepted is cpu, cuda, webgpu, coreml, auto.'],
    ['LOG_LEVEL', 'loud', 'LOG_LEVEL is "loud"; accepted is fatal, error, warn, info, debug, trace, silent.'],
    ['MODEL_AUTO_DOWNLOAD', 'maybe', 'MODEL_AUTO_DOWNLOAD is "maybe"; accepted is true or false.'],
    ['MODEL_NAME', '../secret', 'MODEL_NAME is "../secret"'],
    ['MODEL_BASE_URL', 'ftp://mirror', 'MODEL_BASE_URL is "ftp://mirror"'],
    ['API_PREFIX', 'api', 'API_PREFIX is "api"; accepted is empty, or a path such as /api.'],
    ['MAX_REQUEST_SIZE', '2048', 'MAX_REQUEST_SIZE is 2048; accepted is at least MAX_IMAGE_SIZE, 10485760.'],
  ])('refuses %s=%s and says what is accepted', (name, value, sentence) => {
    const load = () => loadConfig({ [name]: value });
    expect(load).toThrow(StartupError);
    expect(load).toThrow(sentence);
  });

  it('has one worker by default on a GPU, and counts the images that it processes at a time as places', () => {
    expect(loadConfig({ DEVICE: 'cuda' }).WORKERS).toBe(1);
    expect(loadConfig({ DEVICE: 'cuda', WORKERS: '3' }).WORKERS).toBe(3);
    const batch = { MAX_QUEUE: '4', WORKERS: '2', MAX_BATCH_SIZE: '20' };
    expect(loadConfig({ ...batch, DEVICE: 'cuda' }).MAX_BATCH_SIZE).toBe(20);
    expect(() => loadConfig(batch)).toThrow('accepted is at most WORKERS + MAX_QUEUE, 6.');
    expect(() => loadConfig({ ...batch, DEVICE: 'cuda', MAX_BATCH_SIZE: '21' })).toThrow(
      'accepted is at most 8 × WORKERS + MAX_QUEUE, 20.',
    );
  });

  it.each(['cuda', 'webgpu', 'coreml'])('treats DEVICE=%s as a GPU', (DEVICE) => {
    const config = loadConfig({ DEVICE, MAX_QUEUE: '4' });
    expect(config).toMatchObject({ DEVICE, WORKERS: 1, MAX_BATCH_SIZE: 12 });
  });

  it('refuses more workers than a device takes', () => {
    expect(loadConfig({ DEVICE: 'webgpu', WORKERS: '1' }).WORKERS).toBe(1);
    expect(() => loadConfig({ DEVICE: 'webgpu', WORKERS: '2' })).toThrow(
      'WORKERS is 2; accepted with DEVICE=webgpu is 1.',
    );
  });

  it('puts the device that was found in the place of auto, with its limits', () => {
    const found = { device: 'webgpu', passedOver: { cuda: 'It is not there.' } } as const;
    const environment = { DEVICE: 'auto', WORKERS: '3' };
    expect(loadConfig(environment, found)).toMatchObject({ DEVICE: 'webgpu', WORKERS: 1, autoDevice: found });
    expect(loadConfig(environment, { device: 'cpu', passedOver: {} })).toMatchObject({
      DEVICE: 'cpu',
      WORKERS: 3,
    });
    // A program that runs no inference does not find out.
    expect(loadConfig(environment)).toMatchObject({ DEVICE: 'cpu', autoDevice: undefined });
  });

  it('does not quote the value of a secret', () => {
    expect(() => loadConfig({ METRICS_TOKEN: 'pass word' })).toThrow(
      'METRICS_TOKEN is set to something else; accepted is at least 16 printable characters without spaces.',
    );
  });

  it('requires valid CORS_ORIGINS with CORS_ENABLED', () => {
    expect(() => loadConfig({ CORS_ENABLED: 'true' })).toThrow('CORS_ENABLED is true; it needs CORS_ORIGINS');
    expect(
      loadConfig({ CORS_ENABLED: 'true', CORS_ORIGINS: 'https://a.example, http://b:8080' }).CORS_ORIGINS,
    ).toEqual(['https://a.example', 'http://b:8080']);
    expect(() => loadConfig({ CORS_ORIGINS: 'https://a.example/path' })).toThrow('CORS_ORIGINS is');
  });

  it('reports all invalid variables at once', () => {
    expect(() => loadConfig({ PORT: 'x', DEVICE: 'y' })).toThrow(/PORT is "x".*\nDEVICE is "y"/);
  });

  it('removes the trailing slash of API_PREFIX', () => {
    expect(loadConfig({ API_PREFIX: '/api/' }).API_PREFIX).toBe('/api');
  });

  it('ends the name of every duration in _MS', () => {
    for (const name of Object.keys(SETTINGS).filter((key) => /TIMEOUT|GRACE|DELAY/.test(key))) {
      expect(name).toMatch(/_MS$/);
    }
  });
});
