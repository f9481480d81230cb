import { SourceError } from './source-error.ts';

/** HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either case. */
export type ProxyVariables = Readonly<Record<string, string | undefined>>;

/**
 * The proxy for requests to this URL, by HTTP_PROXY, HTTPS_PROXY and NO_PROXY. The lower-case name comes first, also if it is empty.
 * HTTP_PROXY also serves https if HTTPS_PROXY is missing or empty.
 *
 * Node's own support (NODE_USE_ENV_PROXY) does not exist in version 20. https-proxy-agent reads a proxy's answer without limits of
 * size or time, and asserts where a proxy refuses.
 *
 * @throws {SourceError} when the variable is not a URL. The value may contain a password and is not shown.
 */
export function proxyFor(url: URL, environment: ProxyVariables = process.env): URL | undefined {
  const variable = (name: string) => environment[name.toLowerCase()] ?? environment[name];
  const http = variable('HTTP_PROXY');
  const value = url.protocol === 'https:' ? variable('HTTPS_PROXY') || http : http;
  if (!value || isExcluded(url, variable('NO_PROXY') ?? '')) return undefined;
  const address = value.includes('://') ? value : `http://${value}`;
  const proxy = URL.canParse(address) ? new URL(address) : undefined;
  if (proxy?.protocol !== 'http:' && proxy?.protocol !== 'https:') {
    throw new SourceError('HTTP_PROXY or HTTPS_PROXY is not a URL with http or https.', { retryable: false });
  }
  return proxy;
}

/** NO_PROXY lists hosts, with their subdomains, and optional ports. `*` excludes all. */
function isExcluded({ protocol, hostname, port }: URL, list: string): boolean {
  if (list.trim() === '*') return true;
  const usedPort = port || (protocol === 'https:' ? '443' : '80');
  return list
    .toLowerCase()
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const [, host = entry, excludedPort] = /^(.+):(\d+)$/.exec(entry) ?? [];
      const domain = host.replace(/^\*?\./, '');
      const matches = hostname === domain || hostname.endsWith(`.${domain}`);
      return matches && (excludedPort === undefined || excludedPort === usedPort);
    });
}
