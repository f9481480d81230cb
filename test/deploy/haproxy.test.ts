import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { ERROR_CATALOGUE } from '../../src/errors.ts';
import { read } from './files.ts';

/** Checks the balancer's limits against the service's settings. tools/verify-deploy.sh validates the file with HAProxy and runs it. */

/** The defaults. */
const service = loadConfig({});

const lines = read('deploy/haproxy/haproxy.cfg')
  .split('\n')
  .map((line) => line.replace(/^\s*#.*/, '').trim())
  .filter(Boolean);

function settingOf(start: string): string {
  const line = lines.find((one) => one.startsWith(`${start} `));
  if (line === undefined) throw new Error(`haproxy.cfg has no "${start}".`);
  return line.slice(start.length + 1);
}

/** Milliseconds of a text such as 500ms or 35s. */
function milliseconds(text: string | undefined): number {
  const [, number, unit] = /^(\d+)(ms|s)$/.exec(text ?? '') ?? [];
  if (number === undefined) throw new Error(`"${text}" is not a duration.`);
  return Number(number) * (unit === 's' ? 1000 : 1);
}

const timeout = (name: string) => milliseconds(settingOf(`timeout ${name}`));
const servers = settingOf('default-server');
const serverOption = (name: string) => new RegExp(`\\b${name} (\\S+)`).exec(servers)?.[1];

describe('haproxy.cfg', () => {
  it('waits for an answer until after the service’s own timeouts', () => {
    const longest = service.BODY_TIMEOUT_MS + service.REQUEST_TIMEOUT_MS;
    expect(timeout('server')).toBeGreaterThan(longest);
    expect(timeout('client')).toBeGreaterThan(service.BODY_TIMEOUT_MS);
  });

  it('closes idle connections before the service does', () => {
    expect(timeout('http-keep-alive')).toBeLessThan(service.KEEP_ALIVE_TIMEOUT_MS);
    // HAProxy closes half of them at each interval.
    expect(milliseconds(serverOption('pool-purge-delay')) * 4).toBeLessThan(service.KEEP_ALIVE_TIMEOUT_MS);
  });

  it('removes a draining replica well before its port closes', () => {
    const slowest = milliseconds(serverOption('inter')) * Number(serverOption('fall'));
    expect(slowest + 1000).toBeLessThanOrEqual(service.SHUTDOWN_DELAY_MS);
    expect(settingOf('http-check send')).toContain('/readyz');
  });

  it('repeats only requests that no replica has processed, and at most twice', () => {
    expect(settingOf('retry-on').split(' ')).toEqual(['conn-failure', '503']);
    expect(Number(settingOf('retries'))).toBeLessThanOrEqual(2);
    expect(lines).toContain('option redispatch 1');
    const retried = Object.entries(ERROR_CATALOGUE).filter(([, { status }]) => status === 503);
    expect(retried.map(([code]) => code).sort()).toEqual(['MODEL_NOT_LOADED', 'OVERLOADED']);
  });

  it('gives its own answers the shape of the service’s errors', () => {
    const own = lines.filter((line) => line.startsWith('http-error status '));
    expect(own.map((line) => line.split(' ')[2])).toEqual(['500', '502', '503', '504']);
    for (const line of own) {
      const body = JSON.parse(/lf-string '([^']*)'/.exec(line)?.[1] as string);
      expect(Object.keys(body)).toEqual(['error', 'error_code', 'request_id']);
      expect(ERROR_CATALOGUE).toHaveProperty(body.error_code);
      expect(line).toContain('hdr X-Request-Id "%[var(txn.request_id)]"');
    }
  });

  it('logs neither the query nor headers', () => {
    const format = settingOf('log-format');
    expect(format).not.toMatch(/%(r|HU|HQ|hr|hs|hrl|hsl|ci)\b|req\.hdr|query|url/);
  });
});
