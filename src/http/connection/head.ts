import type { IncomingMessage } from 'node:http';

/**
 * What is wrong with the head of a request that Node's parser lets pass; undefined if nothing is.
 * Source: RFC 9112, 2.3 (version), 3.2 (Host) and 6.1 (Transfer-Encoding); RFC 9110, 5.3 (repeated fields) and 10.1.1 (Expect).
 */
export function faultOfHead({ headers, rawHeaders, httpVersion }: IncomingMessage): string | undefined {
  const isOld = httpVersion === '1.0';
  if (!isOld && httpVersion !== '1.1') return 'Only HTTP/1.1 and HTTP/1.0 are served.';
  if (!isOld && headers.host === undefined) return 'Host: a request of HTTP/1.1 needs this header.';
  const repeated = repeatedHeader(rawHeaders);
  if (repeated !== undefined) return `${repeated}: the header is repeated.`;
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && (isOld || coding.toLowerCase() !== 'chunked')) {
    return 'Transfer-Encoding: only chunked is supported, once, in HTTP/1.1.';
  }
  const { expect } = headers;
  if (!isOld && expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return 'Expect: only 100-continue is supported.';
  }
  return undefined;
}

/** A second Host or Content-Type. `IncomingMessage.headers` keeps the first and drops the others. */
function repeatedHeader(rawHeaders: readonly string[]): string | undefined {
  let hosts = 0;
  let types = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    // Most names differ in length already.
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
    else if (name.length === 12 && name.toLowerCase() === 'content-type') types++;
  }
  if (hosts > 1) return 'Host';
  return types > 1 ? 'Content-Type' : undefined;
}
