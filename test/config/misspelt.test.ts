import { describe, expect, it } from 'vitest';
import { findMisspelt } from '../../src/config/misspelt.ts';
import { SETTINGS } from '../../src/config/settings.ts';

const meantBy = (variable: string, value = '1') => findMisspelt({ [variable]: value })[0]?.setting;

describe('a variable that is no setting', () => {
  it.each([
    ['API_KEY', 'API_KEYS'],
    ['APIKEYS', 'API_KEYS'],
    ['API_KEYS_FIEL', 'API_KEYS_FILE'],
    ['API_KEY_FILE', 'API_KEYS_FILE'],
    ['WORKER', 'WORKERS'],
    ['WOKRERS', 'WORKERS'],
    ['POTR', 'PORT'],
    ['MAX_QUEU', 'MAX_QUEUE'],
    ['REQUEST_TIMEOUT', 'REQUEST_TIMEOUT_MS'],
    ['KEEP_ALIVE_TIMEOUT', 'KEEP_ALIVE_TIMEOUT_MS'],
    ['FACE_MAX_QUEUE', 'MAX_QUEUE'],
    ['MAX_QUEUE_SIZE', 'MAX_QUEUE'],
    ['max_queue', 'MAX_QUEUE'],
    ['Api-Keys', 'API_KEYS'],
  ])('%s is taken for %s', (variable, setting) => {
    expect(meantBy(variable)).toBe(setting);
  });

  it.each([
    // A shell, Docker, systemd
    ...[
      'HOSTNAME',
      'HOME',
      'PATH',
      'PWD',
      'OLDPWD',
      'SHLVL',
      'TERM',
      'LANG',
      'LC_ALL',
      'USER',
      'LOGNAME',
      'SHELL',
    ],
    ...[
      'HOSTTYPE',
      'EDITOR',
      'DISPLAY',
      'MAIL',
      'TZ',
      'TMPDIR',
      'INVOCATION_ID',
      'JOURNAL_STREAM',
      'SSH_CLIENT',
    ],
    // Node, npm, this image, compose
    ...['NODE_ENV', 'NODE_OPTIONS', 'NODE_VERSION', 'npm_config_loglevel', 'INIT_CWD', 'UV_THREADPOOL_SIZE'],
    ...[
      'MALLOC_ARENA_MAX',
      'ORT_DISABLE_TELEMETRY',
      'OTEL_LOG_LEVEL',
      'OTEL_SERVICE_NAME',
      'HTTPS_PROXY',
      'NO_PROXY',
    ],
    ...['BAKE_MODEL', 'CPU_LIMIT', 'MEMORY_LIMIT', 'BALANCER_PORT', 'PROMETHEUS_PORT', 'GRAFANA_PORT'],
    // Kubernetes, and what others have in theirs
    ...['KUBERNETES_PORT', 'REDIS_SERVICE_HOST', 'REDIS_PORT', 'POD_NAME', 'OPENAI_API_KEY', 'DATABASE_URL'],
    ...['host', 'port', 'workers'],
  ])('%s is none of ours', (variable) => {
    expect(meantBy(variable)).toBeUndefined();
  });

  it('is none of ours when it is empty or a service of Kubernetes', () => {
    expect(meantBy('API_KEY', ' ')).toBeUndefined();
    expect(meantBy('STATS_METRICS_PORT', 'tcp://10.0.0.1:80')).toBeUndefined();
    expect(meantBy('STATS_METRICS_PORT', '80')).toBe('METRICS_PORT');
  });
});

it('settings are none', () => {
  expect(findMisspelt(Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, 'x'])))).toEqual([]);
});
